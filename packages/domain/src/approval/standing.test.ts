import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Effect } from '../effect/index.ts';
import {
  isFilledTemplate,
  matchStanding,
  SLOT_TYPES,
  type StandingApproval,
  type StandingFacts,
} from './standing.ts';

const NOW = 10 * 86_400_000;
const TEMPLATE = 'Ticket {{id:id}} closed on {{day:date}} at {{at:time}}, {{n:number}} left: {{ok:yesno}}.';
const FILLED = 'Ticket AB-12 closed on 2026-11-21 at 14:03, -3.5 left: yes.';

function standingOf(more: Partial<StandingApproval> = {}): StandingApproval {
  return {
    id: 'stnd_00000000',
    workspace: 'garden',
    effectKind: 'message.post',
    connector: 'memory',
    account: 'demo',
    body: { kind: 'template', template: TEMPLATE },
    recipients: ['news', 'board'],
    perDay: 2,
    maxUses: 3,
    endsAt: NOW + 1,
    grantedBy: 'user_ann00000',
    createdAt: 0,
    uses: [],
    ...more,
  } as StandingApproval; // safe: ids and slugs of the right form
}

function effectOf(more: Partial<Effect> = {}): Effect {
  return {
    class: 'E1',
    workspace: 'garden',
    kind: 'message.post',
    sink: { connector: 'memory', account: 'demo', address: 'news' },
    recipients: ['news'],
    payloads: [{ text: FILLED }],
    ...more,
  } as Effect; // safe: only what the match looks at
}

const FACTS: StandingFacts = {
  nowMs: NOW,
  isGranterEntitled: true,
  fitsOwnContext: true,
  areRecipientsOwn: true,
};
const use = (at: number) => ({ at, digest: 'sha256:aa' as const });
const match = (
  standing: Partial<StandingApproval> = {},
  effect: Partial<Effect> = {},
  facts: Partial<StandingFacts> = {},
) => matchStanding(standingOf(standing), effectOf(effect), { ...FACTS, ...facts });

describe('a standing approval', () => {
  it('covers what it was signed for', () => {
    expect(match()).toBe('covered');
    expect(
      match({ body: { kind: 'recipients' } }, { payloads: [{ text: 'any words' }, { text: 'more' }] }),
    ).toBe('covered');
  });

  it('covers the text of a chat’s own payload, wherever the chat has it', () => {
    for (const body of [
      { chat_id: '-100', text: FILLED },
      { content: FILLED, allowed_mentions: { parse: [] } },
    ])
      expect(match({}, { payloads: [{ method: 'send', body }] })).toBe('covered');
  });

  const refusals: readonly (readonly [string, Parameters<typeof match>, RegExp])[] = [
    ['revoked', [{ revokedAt: 1 }], /revoked/],
    ['its granter lost the role', [{}, {}, { isGranterEntitled: false }], /role/],
    ['at its end', [{ endsAt: NOW }], /ended/],
    ['with a broken end', [{ endsAt: Number.NaN }], /ended/],
    ['spent', [{ uses: [use(0), use(0), use(0)] }], /all its uses/],
    ['with a broken count', [{ maxUses: Number.NaN }], /all its uses/],
    ['spent for today', [{ uses: [use(NOW - 1), use(NOW - 2)] }], /today/],
    ['with uses dated ahead', [{ uses: [use(NOW + 5), use(NOW + 9)] }], /today/],
    ['with a broken daily count', [{ perDay: Number.NaN }], /today/],
    ['of another workspace', [{ workspace: 'kitchen' as never }], /workspace/], // safe: a slug
    ['of another kind', [{ effectKind: 'message.edit' }], /kind/],
    ['of another connector', [{ connector: 'email' }], /account/],
    ['of another account', [{ account: 'other' }], /account/],
    ['to one more recipient', [{}, { recipients: ['news', 'all'] }], /list/],
    ['to nobody', [{}, { recipients: [] }], /no recipient/],
    ['for what does not leave', [{}, { class: 'W2' }], /leave/],
    ['text of others', [{}, {}, { fitsOwnContext: false }], /others/],
    ['two messages', [{}, { payloads: [{ text: FILLED }, { text: FILLED }] }], /one message/],
    ['no message', [{}, { payloads: [] }], /one message/],
    ['a payload without text', [{}, { payloads: [{ html: FILLED }] }], /no text/],
    [
      'a chat payload without text',
      [{}, { payloads: [{ method: 'send', body: { embeds: [] } }] }],
      /no text/,
    ],
    [
      'two texts in one chat payload',
      [{}, { payloads: [{ body: { text: FILLED, content: 'and free words' } }] }],
      /more than the text/,
    ],
    [
      'a text beside a body with words',
      [{}, { payloads: [{ text: FILLED, body: { content: 'free words here' } }] }],
      /more than the text/,
    ],
    [
      'a file beside the text of a body',
      [{}, { payloads: [{ body: { text: FILLED }, file: { name: 'a', content: 'free words' } }] }],
      /more than the text/,
    ],
    ['a list as the body', [{}, { payloads: [{ body: [FILLED] }] }], /no text/],
    ['another text', [{}, { payloads: [{ text: `${FILLED} And more.` }] }], /template/],
    [
      'an attachment',
      [{}, { payloads: [{ text: FILLED, files: [{ name: 'a b.pdf' }] }] }],
      /more than the text/,
    ],
    [
      'a caption elsewhere',
      [{}, { payloads: [{ text: FILLED, embed: { title: 'free words here' } }] }],
      /more than the text/,
    ],
    [
      'foreign recipients for free text',
      [{ body: { kind: 'recipients' } }, {}, { areRecipientsOwn: false }],
      /own context/,
    ],
  ];
  it.each(refusals)('does not cover: %s', (_name, args, reason) => {
    expect(match(...args)).toMatch(reason);
    expect(match(...args)).not.toBe('covered');
  });

  it('uses of earlier days do not count for today', () => {
    expect(match({ uses: [use(NOW - 86_400_000), use(NOW - 86_400_000)] })).toBe('covered');
  });

  it('beside the text a payload may hold ids, numbers and switches', () => {
    expect(
      match(
        {},
        {
          payloads: [
            {
              text: FILLED,
              chat_id: '-100123',
              silent: true,
              thread: 7,
              mentions: { parse: [] },
              none: null,
            },
          ],
        },
      ),
    ).toBe('covered');
  });
});

describe('templates', () => {
  it('take values of their closed types', () => {
    expect(isFilledTemplate(TEMPLATE, FILLED)).toBe(true);
    expect(isFilledTemplate('no slots', 'no slots')).toBe(true);
  });

  it('take nothing else', () => {
    for (const text of [
      FILLED.replace('AB-12', 'AB 12'),
      FILLED.replace('AB-12', ''),
      FILLED.replace('2026-11-21', 'today'),
      FILLED.replace('14:03', '14:3'),
      FILLED.replace('-3.5', '3e9'),
      FILLED.replace('yes', 'maybe'),
      `${FILLED}\n`,
      ` ${FILLED}`,
      FILLED.replace('AB-12', 'x'.repeat(41)),
      '',
    ])
      expect(isFilledTemplate(TEMPLATE, text), text).toBe(false);
  });

  it('with an unknown type never match', () => {
    for (const type of ['text', 'constructor', 'tostring', 'any']) {
      expect(isFilledTemplate(`a {{x:${type}}}`, 'a b')).toBe(false);
      expect(isFilledTemplate(`a {{x:${type}}}`, `a {{x:${type}}}`)).toBe(false);
    }
  });

  it('words of the template are words, not patterns', () => {
    fc.assert(
      fc.property(fc.string(), fc.string(), (template, text) => {
        fc.pre(!template.includes('{{'));
        expect(isFilledTemplate(template, template)).toBe(true);
        expect(isFilledTemplate(template, text)).toBe(template === text);
      }),
    );
    expect(isFilledTemplate('a.*(b)+ {{n:number}}', 'a.*(b)+ 4')).toBe(true);
    expect(isFilledTemplate('a.*', 'axx')).toBe(false);
  });

  it('no slot takes white space, a link or a line', () => {
    for (const type of Object.keys(SLOT_TYPES)) {
      for (const value of ['a b', 'a\nb', 'https://evil.com', 'evil.com', '@all', ''])
        expect(isFilledTemplate(`{{x:${type}}}`, value), `${type} ${value}`).toBe(false);
    }
  });
});
