import { canonicalJson, type Json } from '@agent-runtime/domain';
import { describe, expect, test } from 'vitest';
import { DISCORD_COMMANDS } from './commands.fixture.ts';
import { wireCommands } from './commands.ts';
import { customIdOf, readCustomId } from './custom-id.ts';
import { tokenOf } from './discord.fixture.ts';
import { accountOf } from './discord.ts';
import { frameBody } from './frame.ts';
import { messageEvent, type Surroundings } from './message.ts';
import { renderDraft } from './render.ts';
import { instantOf, isNewer, nonceOf, snowflakeAt } from './snowflake.ts';
import { wireMessage } from './wire.ts';

const SELF = '900000000000000001';
const ROLE = '900000000000000002';
const ADA = { id: '900000000000000003', username: 'ada', global_name: 'Ada' };
const around: Surroundings = {
  source: `discord:${SELF}`,
  selfId: SELF,
  channel: { id: '5', kind: 'channel', title: '#general', group: '4' },
  ownRole: ROLE,
  nameOf: (id) => (id === '6' ? 'plants' : undefined),
};

const event = (message: object, kind: 'message' | 'edit' = 'message', where: Partial<Surroundings> = {}) =>
  messageEvent(
    wireMessage.parse({ id: '1100000000000000000', channel_id: '5', author: ADA, content: 'hi', ...message }),
    kind,
    { ...around, ...where },
  );

describe('what a message of discord means', () => {
  test.each([
    ['plain words', { content: 'hi' }, { text: 'hi', isAddressed: false }],
    [
      'a mention',
      { content: `<@${SELF}> hi`, mentions: [{ id: SELF, username: 'agent' }] },
      { text: 'hi', isAddressed: true },
    ],
    [
      'a mention with a comma',
      { content: `<@!${SELF}>,  hi`, mentions: [{ id: SELF, username: 'agent' }] },
      { text: 'hi', isAddressed: true },
    ],
    [
      'a mention at the end',
      { content: `hi <@${SELF}>`, mentions: [{ id: SELF, username: 'agent' }] },
      { text: 'hi @agent', isAddressed: true },
    ],
    [
      'the mention alone',
      { content: `<@${SELF}>`, mentions: [{ id: SELF, username: 'agent' }] },
      { text: '', isAddressed: true },
    ],
    [
      'the role of the bot',
      { content: `<@&${ROLE}> hi`, mention_roles: [ROLE] },
      { text: 'hi', isAddressed: true },
    ],
    ['the role of people', { content: '<@&77> hi', mention_roles: ['77'] }, { isAddressed: false }],
    ['everyone', { content: '@everyone @here hi', mention_everyone: true }, { isAddressed: false }],
    ['text that only looks like a mention', { content: `\`<@${SELF}>\` hi` }, { isAddressed: false }],
    [
      'a reply to us',
      {
        type: 19,
        message_reference: { message_id: '7' },
        referenced_message: { id: '7', author: { id: SELF, username: 'agent' } },
      },
      { isAddressed: true, repliesTo: '7' },
    ],
    [
      'a reply to another',
      { type: 19, message_reference: { message_id: '7' }, referenced_message: { id: '7', author: ADA } },
      { isAddressed: false, repliesTo: '7' },
    ],
    [
      'a reply to what was deleted',
      { type: 19, message_reference: { message_id: '7' }, referenced_message: null },
      { isAddressed: false },
    ],
    [
      'names for numbers',
      {
        content: '<@900000000000000009> in <#6> or <#66> <a:wave:123>',
        mentions: [{ id: '900000000000000009', username: 'bob', global_name: '/panic on' }],
      },
      { text: '@/panic on in #plants or <#66> :wave:' },
    ],
    [
      'a nickname',
      { member: { nick: 'Countess' } },
      { sender: { id: ADA.id, displayName: 'Countess', isBot: false } },
    ],
    [
      'another bot',
      { author: { ...ADA, bot: true } },
      { sender: { id: ADA.id, displayName: 'Ada', isBot: true } },
    ],
    [
      'a webhook',
      { webhook_id: '8' },
      { isRelayed: true, sender: { id: ADA.id, displayName: 'Ada', isBot: true } },
    ],
    [
      'a forward',
      {
        content: '',
        message_reference: { type: 1, message_id: '7' },
        message_snapshots: [{ message: { content: 'said elsewhere' } }],
      },
      { text: 'said elsewhere', isRelayed: true },
    ],
    [
      'the opening of a thread',
      {
        type: 21,
        content: '',
        message_reference: { message_id: '7' },
        referenced_message: { id: '7', author: ADA, content: `<@${SELF}> do it` },
      },
      { isRelayed: true, isAddressed: false },
    ],
    [
      'files',
      {
        content: '',
        attachments: [
          { id: 'a', filename: 'x.ogg', content_type: 'audio/ogg', size: 3, flags: 1 << 13 },
          { id: 'b', filename: 'y.png', content_type: 'image/png', size: 4 },
          { id: 'c', filename: 'z.zip' },
        ],
        sticker_items: [{ id: 'd', name: 'wave' }],
      },
      {
        text: '',
        attachments: [
          { kind: 'voice', id: 'a', name: 'x.ogg', mime: 'audio/ogg', bytes: 3 },
          { kind: 'photo', id: 'b', name: 'y.png', mime: 'image/png', bytes: 4 },
          { kind: 'document', id: 'c', name: 'z.zip' },
          { kind: 'sticker', id: 'd', name: 'wave' },
        ],
      },
    ],
  ])('%s', (_name, message, wanted) => {
    expect(event(message)).toMatchObject(wanted);
  });

  test.each([
    ['a system message', { type: 7 }],
    ['the answer of another bot to a command', { type: 20 }],
    ['our own words', { author: { id: SELF, username: 'agent', bot: true } }],
    ['words that the missing intent blanked', { content: '' }],
    ['an update without an author', { author: undefined }],
  ])("%s is nobody's business", (_name, message) => {
    expect(event(message)).toBeUndefined();
  });

  test('a forward answers nothing', () => {
    expect(
      event({
        message_reference: { type: 1, message_id: '7' },
        message_snapshots: [{ message: { content: 'x' } }],
      }),
    ).not.toHaveProperty('repliesTo');
  });

  test('everything in a direct message is for us', () => {
    const channel = { id: '5', kind: 'direct', title: 'Ada' } as const;
    expect(event({}, 'message', { channel, ownRole: undefined })).toMatchObject({ isAddressed: true });
  });

  test('an edit has an id of its own; the same edit told twice keeps it', () => {
    const edited = { edited_timestamp: '2026-11-21T09:00:00.123Z' };
    expect(event(edited, 'edit')).toMatchObject({
      kind: 'edit',
      externalId: `1100000000000000000:e${Date.parse(edited.edited_timestamp)}`,
      message: '1100000000000000000',
    });
    expect(event({}, 'edit')).toBeUndefined();
  });
});

describe('ids of discord', () => {
  test('time and order', () => {
    const at = Date.UTC(2026, 10, 21);
    expect(instantOf(snowflakeAt(at))).toBe(at);
    expect(isNewer('10000', '9999')).toBe(true);
    expect(isNewer('9999', '10000')).toBe(false);
    expect(isNewer('5', '5')).toBe(false);
  });

  test('a nonce is short enough, the same for the same part, and another for another', () => {
    expect(nonceOf('efct_1', 0)).toMatch(/^[a-z2-7]{24}$/);
    expect(nonceOf('efct_1', 0)).toBe(nonceOf('efct_1', 0));
    const many = new Set(Array.from({ length: 1_000 }, (_, part) => nonceOf('efct_1', part)));
    expect(many.size).toBe(1_000);
  });

  test('the account is in the token, and what is no token says so without repeating it', () => {
    expect(accountOf(tokenOf(SELF))).toBe(SELF);
    for (const bad of ['', 'canary', 'a.b', 'not.a.token', `${Buffer.from('x1').toString('base64')}.b.c`]) {
      expect(() => accountOf(bad)).toThrow('no token of a Discord bot');
    }
  });
});

describe('what buttons of discord carry', () => {
  test.each([
    [
      { id: 'abc', label: 'Yes' },
      { kind: 'press', id: 'abc' },
    ],
    [
      { id: 'abc', label: 'No', form: { title: 'Deny ~ it', field: 'Why?', about: 'reason' } },
      { kind: 'form', id: 'abc', form: { title: 'Deny - it', field: 'Why?', about: 'reason' } },
    ],
    [
      { id: 'i'.repeat(64), label: 'Edit', form: { title: 't'.repeat(45), field: 'f', about: 'edit' } },
      { kind: 'form', id: 'i'.repeat(64), form: { title: 'Edit', field: 'New text', about: 'edit' } },
    ],
  ] as const)('%o', (button, wanted) => {
    const text = customIdOf(button);
    expect(text.length).toBeLessThanOrEqual(100);
    expect(readCustomId(text)).toEqual(wanted);
  });
});

test('the menu fits what Discord takes', () => {
  for (const { name, description, options } of wireCommands(DISCORD_COMMANDS)) {
    expect(name).toMatch(/^[a-z_]{1,32}$/);
    expect(String(description).length).toBeLessThanOrEqual(100);
    const required = (options as { required: boolean }[]).map((option) => option.required);
    expect(required).toEqual([...required].sort((a, b) => Number(b) - Number(a)));
  }
});

describe('what leaves for discord', () => {
  const context = { address: '5', effectId: 'efct_1', nowMs: 0 };

  test('a card says outside of its embed what it is about', () => {
    const text = 'appr_7 waits for an answer (tier low).\nA mail to bob@example.org';
    const [payload] = renderDraft({ text, card: { title: 'Approval wanted', tone: 'ask' } }, context, 5);
    expect(payload).toMatchObject({
      body: {
        content: 'Approval wanted\nappr_7 waits for an answer (tier low).',
        embeds: [{ title: 'Approval wanted', description: expect.stringContaining('bob@example.org') }],
      },
    });
  });

  test.each(['https://example.org/x', 'discord.gg/abc', '```', '`a`'])(
    'but nothing that becomes a preview, or begins and does not end: %s',
    (line) => {
      const draft = { text: `${line}\nmore`, card: { title: 'Note', tone: 'plain' } } as const;
      expect(renderDraft(draft, context, 5)[0]).toMatchObject({ body: { content: 'Note' } });
    },
  );

  test('no character is cut in halves, wherever a limit falls', () => {
    for (const length of [44, 45, 79, 80, 149, 150, 255, 256, 299, 300]) {
      const text = `${'a'.repeat(length - 1)}😀😀`;
      const form = { title: text, field: text, about: 'reason' } as const;
      const made = [
        renderDraft(
          { text, card: { title: text, tone: 'ask' }, buttons: [{ id: 'x', label: text }] },
          context,
          5,
        ),
        frameBody({ address: '5', key: 'k', text: '', progress: text }, true),
        customIdOf({ id: 'x', label: 'x', form }),
      ];
      for (const one of made) expect(canonicalJson(one as Json)).not.toMatch(/\\ud83d/i); // safe: JSON
      expect(JSON.stringify(made)).not.toMatch(/\\ud83d/i);
    }
  });
});
