import type { InboundEvent } from '@agent-runtime/domain';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { toInbound } from './inbound.ts';
import type { TelegramSelf } from './place.ts';

const SELF: TelegramSelf = { id: '500', username: 'Garden_Bot' };
const ANN = { id: 7, is_bot: false, first_name: 'Ann', last_name: 'Lee' };
const BOB = { id: 8, is_bot: false, first_name: 'Bob' };
const US = { id: 500, is_bot: true, first_name: 'Garden', username: 'Garden_Bot' };
const GROUP = { id: -1001, type: 'supergroup', title: 'Garden' };
const DIRECT = { id: 7, type: 'private', first_name: 'Ann' };

const events = (update: object): readonly InboundEvent[] => toInbound({ update_id: 1, ...update }, SELF, 99);
const message = (more: object = {}) => ({
  message_id: 3,
  date: 1_000,
  chat: GROUP,
  from: ANN,
  text: 'hello',
  ...more,
});
const said = (more: object = {}): InboundEvent | undefined => events({ message: message(more) })[0];
const mention = (text: string, offset: number, length: number, type = 'mention') => ({
  text,
  entities: [{ type, offset, length }],
});

describe('messages', () => {
  test('a message in a group', () => {
    expect(said()).toEqual({
      source: 'telegram:500',
      externalId: '-1001:3',
      kind: 'message',
      channel: { id: '-1001', kind: 'group', title: 'Garden', group: '-1001' },
      sender: { id: '7', displayName: 'Ann Lee', isBot: false },
      text: 'hello',
      message: '3',
      isAddressed: false,
      isRelayed: false,
      sentAt: 1_000_000,
    });
  });

  test('a private chat is a direct channel, and addressed', () => {
    expect(said({ chat: DIRECT })).toMatchObject({
      channel: { id: '7', kind: 'direct', title: 'Ann' },
      isAddressed: true,
    });
  });

  test('a topic of a forum is a channel of its own; its general topic is the group', () => {
    const topic = { message_thread_id: 77, is_topic_message: true };
    expect(
      said({
        ...topic,
        reply_to_message: { message_id: 77, from: US, forum_topic_created: { name: 'Planting' } },
      }),
    ).toMatchObject({
      channel: { id: '-1001/77', kind: 'thread', title: 'Planting', group: '-1001', parent: '-1001' },
      // What stands there as answered is the opening of the topic.
      isAddressed: false,
    });
    expect(said(topic)?.channel.title).toBe('Garden #77');
    const known = { ...SELF, topicName: (chat: number, id: number) => `${chat} ${id}` };
    expect(toInbound({ update_id: 1, message: message(topic) }, known, 9)[0]?.channel.title).toBe('-1001 77');
    expect(said({ message_thread_id: 77 })?.channel.id).toBe('-1001');
  });

  test('an edit has its own id, by its date, and its own kind', () => {
    const [event] = events({ edited_message: message({ edit_date: 1_060, text: 'changed' }) });
    expect(event).toMatchObject({
      externalId: '-1001:3:e1060',
      kind: 'edit',
      text: 'changed',
      sentAt: 1_060_000,
      message: '3',
    });
  });

  test('an answer names the message, and addresses us when that was ours', () => {
    expect(said({ reply_to_message: { message_id: 2, from: BOB } })).toMatchObject({
      repliesTo: '2',
      isAddressed: false,
    });
    expect(said({ reply_to_message: { message_id: 2, from: US } })).toMatchObject({
      repliesTo: '2',
      isAddressed: true,
    });
  });

  test.each([
    ['our name', mention('\u{1f331}\u{1f331} @garden_bot hi', 5, 11), true],
    ['another name', mention('@garden_bot2 hi', 0, 12), false],
    ['our name, but no entity', { text: '@garden_bot hi' }, false],
    [
      'a mention by id',
      { text: 'Garden hi', entities: [{ type: 'text_mention', offset: 0, length: 6, user: US }] },
      true,
    ],
    [
      'a mention of another by id',
      { text: 'Garden hi', entities: [{ type: 'text_mention', offset: 0, length: 6, user: BOB }] },
      false,
    ],
    ['offsets out of the text', mention('@garden_bot', 900, 11), false],
    ['negative offsets', mention('@garden_bot', -5, 11), false],
    [
      'in a caption',
      {
        text: undefined,
        caption: '@Garden_Bot look',
        caption_entities: [{ type: 'mention', offset: 0, length: 11 }],
        photo: [],
      },
      true,
    ],
  ])('mention: %s', (_name, more, isAddressed) => {
    expect(said(more)).toMatchObject({ isAddressed });
  });

  test('a command for us loses our name; one for another bot keeps it', () => {
    expect(said(mention('/status@garden_BOT now', 0, 18, 'bot_command'))).toMatchObject({
      text: '/status now',
      isAddressed: true,
    });
    expect(said(mention('/status@other_bot now', 0, 17, 'bot_command'))).toMatchObject({
      text: '/status@other_bot now',
      isAddressed: false,
    });
    expect(said(mention('/status now', 0, 7, 'bot_command'))).toMatchObject({
      text: '/status now',
      isAddressed: false,
    });
  });

  test.each([
    ['a forward', { forward_origin: { type: 'hidden_user', sender_user_name: 'x', date: 1 } }],
    ['via a bot', { via_bot: { id: 9, is_bot: true, first_name: 'b' } }],
    ['an answer to another chat', { external_reply: { origin: {} } }],
    ['an answer to a story', { reply_to_story: {} }],
    ['an automatic forward', { is_automatic_forward: true }],
    [
      'a quote of another',
      { quote: { text: 'x', position: 0 }, reply_to_message: { message_id: 2, from: BOB } },
    ],
    ['a quote of nobody', { quote: { text: 'x', position: 0 } }],
    ['an even stranger forward', { forward_origin: null }],
  ])('relayed: %s', (_name, more) => {
    expect(said(more)).toMatchObject({ isRelayed: true, text: 'hello' });
  });

  test('a quote of us or of oneself is no relay', () => {
    const quote = { text: 'x', position: 0 };
    expect(said({ quote, reply_to_message: { message_id: 2, from: US } })).toMatchObject({
      isRelayed: false,
    });
    expect(said({ quote, reply_to_message: { message_id: 2, from: ANN } })).toMatchObject({
      isRelayed: false,
    });
  });

  test('anonymous admins, linked channels and accounts of the platform are no people', () => {
    const anonymous = { from: { id: 1_087_968_824, is_bot: true, first_name: 'Group' }, sender_chat: GROUP };
    expect(said(anonymous)).toMatchObject({
      sender: { id: '-1001', displayName: 'Garden', isBot: true },
      isRelayed: true,
    });
    const linked = {
      from: { id: 777_000, is_bot: false, first_name: 'Telegram' },
      sender_chat: { id: -1002, type: 'channel', title: 'News' },
    };
    expect(said(linked)).toMatchObject({ sender: { id: '-1002', isBot: true }, isRelayed: true });
    expect(said({ from: { id: 777_000, is_bot: false, first_name: 'Telegram' } })).toMatchObject({
      sender: { isBot: true },
    });
    expect(said({ from: { ...BOB, is_bot: true } })).toMatchObject({ sender: { isBot: true } });
    expect(said({ from: undefined })).toBeUndefined();
    // A sender that cannot be read is not skipped: the words would be the person's.
    expect(said({ sender_chat: { id: 'x' } })).toBeUndefined();
  });

  test.each([
    [
      'photo',
      {
        photo: [
          { file_id: 's', width: 90, height: 90 },
          { file_id: 'l', width: 1280, height: 800, file_size: 5 },
        ],
      },
      { kind: 'photo', id: 'l', bytes: 5 },
    ],
    [
      'voice',
      { voice: { file_id: 'v', mime_type: 'audio/ogg', file_size: 9 } },
      { kind: 'voice', id: 'v', mime: 'audio/ogg', bytes: 9 },
    ],
    [
      'document',
      { document: { file_id: 'd', file_name: 'a\ud800.pdf' } },
      { kind: 'document', id: 'd', name: 'a\ufffd.pdf' },
    ],
    ['animation', { animation: { file_id: 'a' }, document: { file_id: 'a' } }, { kind: 'video', id: 'a' }],
    ['video note', { video_note: { file_id: 'n' } }, { kind: 'video', id: 'n' }],
    ['sticker', { sticker: { file_id: 's', width: 1, height: 1 } }, { kind: 'sticker', id: 's' }],
    ['audio', { audio: { file_id: 'u' } }, { kind: 'audio', id: 'u' }],
    ['video', { video: { file_id: 'w' } }, { kind: 'video', id: 'w' }],
  ])('attachment: %s', (_name, more, expected) => {
    expect(said({ text: undefined, ...more })).toMatchObject({ text: '', attachments: [expected] });
    expect(said({ text: undefined, caption: 'look', ...more })).toMatchObject({ text: 'look' });
  });

  test('what nobody said is nothing: service messages, polls, posts in channels, unknown kinds', () => {
    expect(said({ text: undefined, pinned_message: {} })).toBeUndefined();
    expect(said({ text: ' \n' })).toBeUndefined();
    expect(said({ chat: { id: -9, type: 'channel', title: 'News' } })).toBeUndefined();
    for (const kind of ['channel_post', 'business_message', 'guest_message', 'poll', 'inline_query'])
      expect(events({ [kind]: message() })).toEqual([]);
  });
});

describe('what is no message', () => {
  test('a button names the message it stands on', () => {
    const query = { id: '42', from: ANN, data: 'a-xyz', message: message({ from: US }) };
    expect(events({ callback_query: query })).toEqual([
      {
        source: 'telegram:500',
        externalId: 'cb:42',
        kind: 'button',
        channel: { id: '-1001', kind: 'group', title: 'Garden', group: '-1001' },
        sender: { id: '7', displayName: 'Ann Lee', isBot: false },
        text: '',
        message: '3',
        buttonId: 'a-xyz',
        isAddressed: true,
        isRelayed: false,
        sentAt: 99,
      },
    ]);
    const gone = { chat: GROUP, message_id: 3, date: 0 };
    expect(events({ callback_query: { ...query, message: gone } })[0]).toMatchObject({
      buttonId: 'a-xyz',
      message: '3',
    });
    expect(events({ callback_query: { ...query, message: undefined } })).toEqual([]);
    expect(events({ callback_query: { ...query, data: undefined } })).toEqual([]);
  });

  test('presses and reactions in a topic of a forum belong to the topic, as far as it is told', () => {
    const pressed = (more: object) =>
      events({
        callback_query: { id: 'q', from: ANN, data: 'b-1', message: { ...message({ from: US }), ...more } },
      })[0]?.channel.id;
    expect(pressed({ message_thread_id: 77, is_topic_message: true })).toBe('-1001/77');
    // A thread of answers in an ordinary group, or in the general topic.
    expect(pressed({ message_thread_id: 77 })).toBe('-1001');
    const reacted = (more: object) =>
      events({
        message_reaction: {
          chat: GROUP,
          message_id: 3,
          user: ANN,
          date: 1,
          old_reaction: [],
          new_reaction: [{ type: 'emoji', emoji: '👍' }],
          ...more,
        },
      })[0]?.channel.id;
    expect(reacted({ message_thread_id: 77 })).toBe('-1001/77');
    expect(reacted({})).toBe('-1001');
  });

  test('a reaction is one event for each emoji that is new', () => {
    const of = (old: readonly object[], next: readonly object[]) =>
      events({
        message_reaction: {
          chat: GROUP,
          message_id: 3,
          user: ANN,
          date: 5,
          old_reaction: old,
          new_reaction: next,
        },
      });
    const emoji = (one: string) => ({ type: 'emoji', emoji: one });
    const both = of(
      [emoji('👍')],
      [emoji('👍'), emoji('🔥'), { type: 'custom_emoji', custom_emoji_id: '9' }],
    );
    expect(both.map(({ kind, text, message: on }) => [kind, text, on])).toEqual([
      ['reaction', '🔥', '3'],
      ['reaction', 'custom:9', '3'],
    ]);
    expect(new Set(both.map(({ externalId }) => externalId)).size).toBe(2);
    expect(of([emoji('👍')], [])).toEqual([]);
  });

  const member = (user: object, status: string) => ({ user, status });
  const change = (user: object, before: string, after: string) => ({
    chat: GROUP,
    from: BOB,
    date: 5,
    old_chat_member: member(user, before),
    new_chat_member: member(user, after),
  });

  test('members come and go; a change of standing is neither', () => {
    const [joined] = events({ chat_member: change(ANN, 'left', 'member') });
    expect(joined).toMatchObject({
      kind: 'member',
      sender: { id: '7' },
      member: { change: 'joined', isSelf: false },
    });
    expect(events({ message: message({ text: undefined, date: 5, new_chat_members: [ANN] }) })[0]).toEqual(
      joined,
    );
    expect(events({ chat_member: change(ANN, 'administrator', 'kicked') })[0]).toMatchObject({
      member: { change: 'left' },
    });
    expect(events({ message: message({ text: undefined, left_chat_member: ANN }) })[0]).toMatchObject({
      member: { change: 'left' },
    });
    expect(events({ chat_member: change(ANN, 'member', 'administrator') })).toEqual([]);
    const gone = {
      ...change(ANN, 'member', 'restricted'),
      new_chat_member: { user: ANN, status: 'restricted', is_member: false },
    };
    expect(events({ chat_member: gone })[0]).toMatchObject({ member: { change: 'left' } });
  });

  test('our own coming is told once, with who did it', () => {
    expect(events({ my_chat_member: change(US, 'left', 'member') })[0]).toMatchObject({
      sender: { id: '8' },
      member: { change: 'joined', isSelf: true },
    });
    expect(events({ message: message({ text: undefined, new_chat_members: [US, ANN] }) })).toHaveLength(1);
  });

  test('a group that moved is one event, whoever tells it', () => {
    const old = { id: -55, type: 'group', title: 'Garden' };
    const [away] = events({ message: message({ text: undefined, chat: old, migrate_to_chat_id: -1001 }) });
    const [here] = events({ message: message({ text: undefined, from: BOB, migrate_from_chat_id: -55 }) });
    expect(away).toMatchObject({
      kind: 'moved',
      externalId: 'mv:-55:-1001',
      movedFrom: '-55',
      channel: { id: '-1001', group: '-1001' },
    });
    expect(here).toEqual(away);
  });
});

describe('hostile', () => {
  test('names are bounded and whole, whatever they are made of', () => {
    const name = `\ud800${'\u{1f331}'.repeat(200)}`;
    const event = said({
      from: { ...ANN, first_name: name, last_name: name },
      chat: { ...GROUP, title: name },
      text: 'a\udfffb',
    });
    for (const text of [event?.sender.displayName ?? '', event?.channel.title ?? '']) {
      expect(text.length).toBeLessThanOrEqual(200);
      expect(text.isWellFormed()).toBe(true);
    }
    expect(event?.text).toBe('a\ufffdb');
    expect(said({ from: { ...ANN, first_name: '', last_name: '' } })?.sender.displayName).toBe('7');
  });

  test('anything at all makes no error', () => {
    fc.assert(
      fc.property(fc.jsonValue({ maxDepth: 2 }), (update) => Array.isArray(toInbound(update, SELF, 1))),
    );
    const parts = fc.record({
      message_id: fc.constantFrom(1, 'x', null),
      chat: fc.constantFrom(GROUP, DIRECT, {}, null),
      from: fc.constantFrom(ANN, undefined, null, {}),
      date: fc.constantFrom(1, Number.NaN, '1'),
      text: fc
        .array(fc.constantFrom('a', '@garden_bot', '/x', '\ud800', '\udfff', '\u{1f331}', '\0', '\n'))
        .map((parts) => parts.join('')),
      entities: fc.array(
        fc.record({
          type: fc.constantFrom('mention', 'bot_command'),
          offset: fc.integer(),
          length: fc.integer(),
        }),
      ),
      photo: fc.jsonValue({ maxDepth: 2 }),
      reply_to_message: fc.jsonValue({ maxDepth: 2 }),
    });
    fc.assert(
      fc.property(parts, (one) => {
        for (const event of events({ message: one })) expect(event.text.isWellFormed()).toBe(true);
      }),
    );
  });
});
