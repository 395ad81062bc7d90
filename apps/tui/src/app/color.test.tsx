import './force-color.fixture.ts';
import { afterEach, describe, expect, test } from 'vitest';
import { approvalFixture } from './fake-data.fixture.ts';
import { openTerminal, SCREEN_TEST, type Terminal } from './terminal.fixture.tsx';

let terminal: Terminal;
afterEach(() => terminal.close());

/** Parameters of every colour or style that was written. */
async function stylesOf(useColor: boolean): Promise<ReadonlySet<string>> {
  terminal = openTerminal({
    house: { approvals: [approvalFixture(1, { tier: 'high' })] },
    theme: { useColor },
    start: 'approvals',
  });
  await terminal.until('1 waiting');
  await terminal.press('enter');
  await terminal.until('sha256');
  return new Set(
    [...terminal.raw().matchAll(/\u001b\[([0-9;]*)m/g)].flatMap((match) => (match[1] ?? '').split(';')),
  );
}

const COLORS = /^(3[0-8]|4[0-8]|9[0-7]|10[0-7])$/;

describe('colours', SCREEN_TEST, () => {
  test('there are none for whoever wants none', async () => {
    const styles = await stylesOf(false);
    expect(styles.has('7')).toBe(true);
    expect([...styles].filter((one) => COLORS.test(one))).toEqual([]);
  });

  test('there are only the sixteen of the terminal', async () => {
    const styles = await stylesOf(true);
    expect(styles.has('31')).toBe(true);
    expect([...styles].filter((one) => ['38', '48'].includes(one))).toEqual([]);
  });
});
