import { afterEach, expect, test } from 'vitest';
import type { TelegramCommand } from './options.ts';
import { type Stage, stages } from './telegram.fixture.ts';

const { open, close } = stages();
afterEach(close);

const COMMANDS: readonly TelegramCommand[] = [
  { name: 'task', help: 'do something' },
  { name: 'pair', help: 'link this account', in: ['private'] },
  { name: 'hub', help: 'x'.repeat(400), in: ['administrators'] },
  { name: 'Not-A-Name', help: 'left out' },
];

const started = async (one: Stage, commands = COMMANDS): Promise<void> => {
  const polls = one.server.updates.polls;
  const connector = one.another({ commands });
  await connector.start(one.accept);
  await one.pass(() => one.server.updates.polls > polls && one.memory.kept.size >= 3, 'it polls', 20);
  await one.clock.settle();
  await connector.stop();
};
const writes = ({ server }: Stage): number =>
  server.callsOf('setMyCommands').length + server.callsOf('deleteMyCommands').length;

test('menus are written per scope, and again only when they differ', async () => {
  const one = await open();
  await started(one);
  const menu = (type: string) =>
    one.server
      .callsOf('setMyCommands')
      .map(
        ({ params }) =>
          params as { scope: { type: string }; commands: { command: string; description: string }[] },
      ) // safe: checked by the emulator
      .filter(({ scope }) => scope.type === type)
      .map(({ commands }) => commands.map(({ command, description }) => `${command}:${description.length}`));
  expect(menu('all_private_chats')).toEqual([['task:12', 'pair:17']]);
  expect(menu('all_group_chats')).toEqual([['task:12']]);
  expect(menu('all_chat_administrators')).toEqual([['task:12', 'hub:256']]);
  await started(one);
  expect(writes(one)).toBe(3);
  await started(one, [{ name: 'task', help: 'do something' }]);
  expect(writes(one)).toBe(5);
  expect(one.server.violations).toEqual([]);
});

test('a menu that could not be written is written at the next start; it stops nothing', async () => {
  const one = await open();
  one.server.faults.add({ kind: 'server-error', method: 'setMyCommands' });
  const connector = one.another({ commands: COMMANDS });
  await connector.start(one.accept);
  one.server.people.say({ chat: one.group, from: one.ann, text: 'a' });
  await one.pass(() => one.heard.length === 1 && writes(one) === 1, 'it hears', 20);
  await connector.stop();
  await started(one);
  expect(writes(one)).toBe(4);
});
