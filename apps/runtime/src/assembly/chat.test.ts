import { memoryConnector } from '@agent-runtime/adapters';
import { AppError, type ErrorKind } from '@agent-runtime/domain';
import type { Arrival } from '@agent-runtime/engine';
import { manualClock, recordingLogger } from '@agent-runtime/testkit';
import { expect, test } from 'vitest';
import { listenTo } from './chat.ts';

test('what is said in a chat comes in by the one door, one conversation per channel', async () => {
  const chat = memoryConnector({ clock: manualClock() });
  const arrivals: Arrival[] = [];
  const accept = async (arrival: Arrival) => {
    arrivals.push(arrival);
    return { outcome: 'run' as const, isRepeat: false };
  };
  await listenTo(chat, { accept, suggest: async () => [] }, recordingLogger());
  await chat.say({ channel: 'general', sender: 'u1', text: 'hello' });
  await chat.say({ channel: 'other', sender: 'u1', text: 'hello' });
  expect(arrivals.map(({ door, conversationKey }) => `${door} ${conversationKey}`)).toEqual([
    'chat memory:demo/general',
    'chat memory:demo/other',
  ]);
  expect(arrivals[0]?.authenticated).toBeUndefined();
});

test.each<[ErrorKind, boolean]>([
  ['invalid', true],
  ['denied', true],
  ['conflict', true],
  ['unavailable', false],
  ['exhausted', false],
  ['bug', false],
])('a refusal of kind %s is lasting: %s', async (kind, isLasting) => {
  const chat = memoryConnector({ clock: manualClock() });
  const refuse = async () => {
    throw new AppError({ code: `ingest.test.${kind}`, kind, message: 'no' });
  };
  const log = recordingLogger();
  await listenTo(chat, { accept: refuse, suggest: async () => [] }, log);
  const said = chat.say({ channel: 'general', sender: 'u1', text: 'hello' });
  if (isLasting) {
    await said;
    expect(log.dump()).toContain('not offered again');
  } else await expect(said).rejects.toMatchObject({ kind });
});

test('an event that meets a bug again and again is given up in the end, so that others are heard', async () => {
  const chat = memoryConnector({ clock: manualClock() });
  const taken: string[] = [];
  const accept = async ({ event }: Arrival) => {
    taken.push(event.text);
    if (event.text === 'poison') throw new TypeError('of undefined');
    return { outcome: 'run' as const, isRepeat: false };
  };
  const log = recordingLogger();
  await listenTo(chat, { accept, suggest: async () => [] }, log);
  const poison = { channel: 'general', sender: 'u1', text: 'poison', externalId: 'p' };
  for (let time = 1; time <= 4; time += 1) await expect(chat.say(poison)).rejects.toThrow('of undefined');
  expect(log.dump()).not.toContain('given up');
  await chat.say(poison);
  expect(log.dump()).toContain('given up');
  await chat.say({ channel: 'general', sender: 'u1', text: 'hello' });
  expect(taken).toEqual([...Array.from({ length: 5 }, () => 'poison'), 'hello']);
});
