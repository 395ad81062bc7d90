import type { TaskDetail, TaskRow } from '@agent-runtime/domain';
import { describe, expect, test } from 'vitest';
import { fakeWorld } from '../cli/cli.fixture.ts';

const AT = '2026-11-30T12:00:00.000Z';
const row = (n: number, title: string, parent?: number): TaskRow => ({
  id: `task_000000000000000000${n}`,
  kind: 'chat',
  status: 'succeeded',
  title,
  workspace: 'acme',
  context: 'ops',
  requester: 'mia',
  ...(parent === undefined ? {} : { parent: `task_000000000000000000${parent}` }),
  created_at: AT,
});

describe('task list', () => {
  const items = [
    row(5, '  the last page\u001b[2J', 3),
    row(4, 'another'),
    row(3, `a fetch ${'that took long '.repeat(20)}`, 1),
    row(2, 'a map', 1),
    row(1, 'the question'),
  ];

  test('draws what came from a task below it, within the width', async () => {
    for (const columns of [80, 60]) {
      const cli = fakeWorld({ answers: { 'task.list': { items } }, columns });
      expect(await cli.run('task', 'list')).toBe(0);
      const lines = cli.out().trimEnd().split('\n');
      expect(Math.max(...lines.map((line) => line.length))).toBeLessThanOrEqual(columns);
      for (const drawn of ['the question', '├ a fetch', '│ └ the last page', '└ a map'])
        expect(cli.out()).toContain(drawn);
      expect(cli.out().indexOf('│ └ the last')).toBeGreaterThan(cli.out().indexOf('├ a fetch'));
      expect(cli.out().indexOf('another')).toBeGreaterThan(cli.out().indexOf('└ a map'));
    }
  });

  test('names the parents in JSON, in the order of the server', async () => {
    const cli = fakeWorld({ answers: { 'task.list': { items } } });
    await cli.run('task', 'list', '--json');
    expect(JSON.parse(cli.out())).toEqual({ items });
  });
});

test('task show names what is above and below', async () => {
  const task: TaskDetail = {
    ...row(3, 'a fetch', 1),
    parent_title: 'the question',
    door: 'cli',
    conversation: 'conv_1',
    children: [{ id: 'task_0000000000000000005', status: 'failed', title: 'the last page' }],
    runs: [{ id: 'run_1', status: 'succeeded', attempt: 1, created_at: AT, pending_approvals: [] }],
    effects: [],
  };
  const cli = fakeWorld({ answers: { 'task.show': task } });
  await cli.run('task', 'show', task.id);
  expect(cli.out()).toMatch(/Came from +task_0000000000000000001 {2}the question/);
  expect(cli.out()).toMatch(/task_0000000000000000005 +failed +the last page/);
  const alone = fakeWorld({
    answers: { 'task.show': { ...task, ...row(3, 'x'), parent: undefined, children: [] } },
  });
  await alone.run('task', 'show', task.id);
  expect(alone.out()).not.toMatch(/came from/i);
});
