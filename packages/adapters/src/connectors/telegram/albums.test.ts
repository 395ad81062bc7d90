import { manualClock, recordingLogger } from '@agent-runtime/testkit';
import { expect, test } from 'vitest';
import { makeReader } from './read.ts';

const known = () => ({ id: '12', username: 'our_bot' });
const reader = () => makeReader({ clock: manualClock(), log: recordingLogger(), known });
const chat = { id: 7, type: 'private', first_name: 'Ann' };
const picture = (message_id: number, caption?: string, media_group_id: string | undefined = 'g') => ({
  update_id: message_id,
  message: {
    message_id,
    date: 1,
    chat,
    from: { id: 7, is_bot: false, first_name: 'Ann' },
    photo: [{ file_id: `f${message_id}` }],
    ...(caption === undefined ? {} : { caption }),
    ...(media_group_id === undefined ? {} : { media_group_id }),
  },
});
const addressed = (events: ReturnType<ReturnType<typeof reader>>) =>
  events.flat().map(({ isAddressed }) => isAddressed);

test.each([
  ['the first of those without words', [picture(1), picture(2), picture(3)], [true, false, false]],
  ['the one with words, wherever', [picture(1), picture(2, 'look'), picture(3)], [false, true, false]],
  ['the first of those with words', [picture(1, 'a'), picture(2, 'b')], [true, false]],
])('of an album %s is addressed', (_name, updates, expected) => {
  const read = reader();
  const events = read(updates);
  expect(addressed(events)).toEqual(expected);
  expect(events.flat().map(({ attachments }) => attachments?.length)).toEqual(updates.map(() => 1));
  expect(addressed(read(updates))).toEqual(expected);
});

test('an album that comes in pieces is one; words that come late are not lost', () => {
  const read = reader();
  expect([picture(1), picture(2), picture(3, 'look')].map((one) => addressed(read([one]))[0])).toEqual([
    true,
    false,
    true,
  ]);
});

test('pictures of their own are each addressed, and so are other albums', () => {
  const updates = [picture(1, undefined, 'x'), picture(2, undefined, 'y')];
  expect(addressed(reader()(updates))).toEqual([true, true]);
});
