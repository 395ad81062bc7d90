import { expect, test } from 'vitest';
import { statusFixture } from '../../app/fake-data.fixture.ts';
import { SCREEN_TEST } from '../../app/terminal.fixture.tsx';
import { useTerminal } from '../../app/use-terminal.fixture.ts';

const at = useTerminal();

test('what was spent today is shown in money where models have prices', SCREEN_TEST, async () => {
  const status = statusFixture({
    tokens_today: 1_234_567,
    cost_today_usd_micros: 840_000,
    spent_today: [{ model: 'glm-main', tokens: 1_234_567, cost_usd_micros: 840_000 }],
  });
  at.open('overview', { house: { status } });
  expect(await at.terminal.until('Spent today')).toMatch(/Spent today +1\.2 M tokens, \$0\.84$/m);
});
