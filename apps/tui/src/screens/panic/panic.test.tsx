import { describe, expect, test } from 'vitest';
import { statusFixture } from '../../app/fake-data.fixture.ts';
import { expectScreen, SCREEN_TEST } from '../../app/terminal.fixture.tsx';
import { useTerminal } from '../../app/use-terminal.fixture.ts';

const at = useTerminal();

describe('panic', SCREEN_TEST, () => {
  test('on after one question, off by a signature, and the frame shows it everywhere', async () => {
    at.open('panic');
    await at.terminal.until('Panic is off.');
    await at.terminal.press('p', 'n');
    expect(at.asked('panic.on')).toEqual([]);
    await at.terminal.press('p', 'y');
    await at.terminal.until('Panic is on. Nothing starts');
    await at.terminal.clock.advance(1_000);
    await at.terminal.until('P A N I C   I S   O N');
    await expectScreen(at.terminal, 'panic-80x24');
    await at.terminal.press('1');
    await at.terminal.until('PANIC IS ON');
    await at.terminal.press('0');
    await at.terminal.until('P A N I C');
    await at.terminal.press('o', 'y');
    await at.terminal.until('Panic is off. Look at uncertain effects');
  });

  test('a gate that is closed is opened here', async () => {
    at.open('panic', {
      house: { status: statusFixture({ gate: { closed: true, reason: 'after a restore' } }) },
    });
    await at.terminal.until('T H E   G A T E');
    await at.terminal.press('t', 'y');
    await at.terminal.until('The gate is open.');
  });
});
