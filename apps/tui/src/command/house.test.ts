import type { Status } from '@agent-runtime/domain';
import { expect, test } from 'vitest';
import { fakeWorld } from '../cli/cli.fixture.ts';

const STATUS: Status = {
  version: '1',
  instance_id: 'instance-1',
  ready: true,
  reasons: [],
  up_since: '2026-11-30T12:00:00.000Z',
  panic: { on: false },
  gate: { closed: false },
  runs: { queued: 0, running: 0, failed_today: 0 },
  approvals_pending: 0,
  effects_uncertain: 0,
  tokens_today: 520,
  spent_today: [{ model: 'main', tokens: 520 }],
  audit_head: '1:x',
  models: ['main'],
};

test('status says what was spent: tokens, and money where there are prices', async () => {
  const free = fakeWorld({ answers: { 'status.read': STATUS } });
  await free.run('status');
  expect(free.out()).toMatch(/^Spent today +520 tokens$/m);
  const answer: Status = {
    ...STATUS,
    cost_today_usd_micros: 300,
    spent_today: [{ model: 'main', tokens: 520, cost_usd_micros: 300 }],
  };
  const priced = fakeWorld({ answers: { 'status.read': answer } });
  await priced.run('status');
  expect(priced.out()).toMatch(/^Spent today +520 tokens, < \$0\.01$/m);
  const json = fakeWorld({ answers: { 'status.read': answer } });
  await json.run('status', '--json');
  expect(JSON.parse(json.out())).toEqual(answer);
});
