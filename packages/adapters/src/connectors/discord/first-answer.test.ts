import { recordingLogger } from '@agent-runtime/testkit';
import { expect, test } from 'vitest';
import { channelBook } from './channels.ts';
import { DISCORD_COMMANDS } from './commands.fixture.ts';
import { skippingClock } from './discord.fixture.ts';
import { takeInteraction } from './interactions.ts';
import { lanesOf } from './lanes.ts';
import type { Call } from './rest.ts';
import { wireInteraction } from './wire.ts';

// Three seconds are lost wherever something is awaited first. This holds at any speed: each first answer is on its way before the hand
// that took the event comes back, and two hundred that nobody has worked on yet change nothing.
test('200 commands, nothing of which gets on: each first answer is called for at once', () => {
  const stuck = new Promise<never>(() => {});
  const calls: Call[] = [];
  const log = recordingLogger();
  const deps = {
    api: {
      call: (call: Call) => {
        calls.push(call);
        return stuck;
      },
      isRefused: () => false,
      close: () => {},
    },
    tokens: { keep: () => stuck, find: () => stuck },
    book: channelBook(),
    lanes: lanesOf(log),
    clock: skippingClock(),
    log,
    source: 'discord:1',
    commands: new Map(DISCORD_COMMANDS.map((command) => [command.name, command])),
    accept: () => stuck,
    suggest: () => stuck,
    signal: new AbortController().signal,
  };
  for (let index = 1; index <= 200; index += 1) {
    const isButton = index % 4 === 0;
    const interaction = wireInteraction.parse({
      id: `${1_100_000_000_000_000_000n + BigInt(index)}`,
      application_id: '1',
      type: isButton ? 3 : 2,
      token: `token${index}`,
      channel_id: '5',
      guild_id: '4',
      member: { user: { id: '3', username: 'ada' } },
      data: isButton
        ? { custom_id: 'babc' }
        : { name: 'task', options: [{ name: 'text', type: 3, value: 'x' }] },
    });
    takeInteraction(deps, interaction);
    expect(calls).toHaveLength(index);
    expect(calls.at(-1)).toMatchObject({
      route: `/interactions/${interaction.id}/token${index}/callback`,
      body: { type: isButton ? 6 : 5 },
    });
  }
});
