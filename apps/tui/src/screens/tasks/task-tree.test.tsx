import { expect, test } from 'vitest';
import { taskFixture } from '../../app/fake-data.fixture.ts';
import { expectScreen, type OpenOptions, SCREEN_TEST } from '../../app/terminal.fixture.tsx';
import { useTerminal } from '../../app/use-terminal.fixture.ts';

const at = useTerminal();
const open = (options: OpenOptions): void => at.open('tasks', options);

const LONG = 'what the page of the town hall says about opening hours on public holidays, every one of them';
const TREE = [
  taskFixture(1, { title: 'another question' }),
  taskFixture(2, { title: LONG, parent: 'task_0003', parent_title: 'fetch two pages' }),
  taskFixture(3, {
    title: 'fetch two pages',
    parent: 'task_0005',
    parent_title: 'when is it open?',
    children: [{ id: 'task_0002', status: 'succeeded', title: LONG }],
  }),
  taskFixture(4, { title: 'and the map', parent: 'task_0005', parent_title: 'when is it open?' }),
  taskFixture(5, {
    title: 'when is it open?',
    children: [
      { id: 'task_0003', status: 'succeeded', title: 'fetch two pages' },
      { id: 'task_0004', status: 'failed', title: 'and the map' },
    ],
  }),
];
const linesWith = (words: string): string =>
  at.terminal
    .text()
    .split('\n')
    .find((line) => line.includes(words)) ?? '';

test('the list draws what came from a task below it, within 80 columns', SCREEN_TEST, async () => {
  open({ house: { tasks: TREE } });
  const shown = await at.terminal.until('and the map');
  const order = [
    'another question',
    'when is it open?',
    '├ fetch two pages',
    '│ └ what the page',
    '└ and the map',
  ];
  expect(order.map((words) => shown.indexOf(words))).toEqual(
    order.map((words) => shown.indexOf(words)).toSorted((a, b) => a - b),
  );
  expect(linesWith('what the page')).toContain('…');
  expect(Math.max(...shown.split('\n').map((line) => line.length))).toBeLessThanOrEqual(80);
  await expectScreen(at.terminal, 'tasks-80x24');
});

test('a filter keeps the lines to the nearest task above that is shown', SCREEN_TEST, async () => {
  open({ house: { tasks: TREE } });
  await at.terminal.until('and the map');
  await at.terminal.press('/');
  await at.terminal.type('a');
  await at.terminal.press('enter');
  await at.terminal.until('├ fetch');
  await at.terminal.press('escape', '/');
  await at.terminal.type('town');
  await at.terminal.press('enter');
  await at.terminal.until(/ {2}what the page/);
  expect(at.terminal.text()).not.toContain('└');
});

test('a screen reader hears the level instead of lines', SCREEN_TEST, async () => {
  open({ house: { tasks: TREE }, theme: { isReader: true } });
  await at.terminal.until('level 3, what the page');
  expect(at.terminal.text()).not.toMatch(/[├└│]/);
});

test('keys lead up and down the tree, and escape the same way back', SCREEN_TEST, async () => {
  open({ house: { tasks: TREE }, subject: 'task_0005' });
  const whole = await at.terminal.until('What came from it');
  expect(whole).toContain('failed  and the map  (task_0004)');
  expect(whole).not.toContain('p above');
  await at.terminal.press('c', 'enter');
  await at.terminal.until('when is it open? (task_0005)');
  await at.terminal.press('c');
  await at.terminal.until('fetch two pages (task_0003)');
  expect(at.terminal.text()).not.toContain('c below');
  await at.terminal.press('p');
  await at.terminal.until('when is it open? (task_0005)');
  await at.terminal.press('escape');
  await at.terminal.until('fetch two pages (task_0003)');
  await at.terminal.press('escape', 'escape');
  await at.terminal.until('failed  and the map  (task_0004)');
  await at.terminal.press('escape');
  await at.terminal.until('another question');
});
