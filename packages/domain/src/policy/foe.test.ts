import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { effectDigest } from '../effect/effect.ts';
import { filterReply } from '../effect/index.ts';
import {
  type AudienceTag,
  type Clearance,
  canFlow,
  capModel,
  type Integrity,
  join,
  makeLabel,
} from '../label/index.ts';
import { classifyPath } from '../tool/index.ts';

const IS_SOAK = process.env.SOAK === '1';
const NUM_RUNS = IS_SOAK ? 50_000 : 3_000;
/** `FOE_SEED=<n>` draws the same values again. */
const SEED = process.env.FOE_SEED === undefined ? 20_261_130 : Number(process.env.FOE_SEED);

const tag = fc.constantFrom<AudienceTag>(
  'ws:acme',
  'ws:beta',
  'ctx:acme/ops',
  'ctx:acme/board',
  'ctx:beta/vault',
  'priv:user_1',
);
const label = fc
  .tuple(
    fc.constantFrom<Integrity>(0, 1, 2, 3),
    fc.subarray(['ws:acme', 'ws:beta', 'ctx:acme/ops', 'ctx:acme/board', 'priv:user_1'] as AudienceTag[]),
  )
  .map(([integrity, audience]) => makeLabel(integrity, audience));
const clearance = fc.uniqueArray(tag).map((tags): Clearance => ({ kind: 'tags', tags }));

/** Words that hide a host or a call, glued in any order. */
const shard = fc.constantFrom(
  'https://',
  'http:/\u200b/',
  'evil.example',
  'evil',
  '.',
  '**.**',
  'example',
  '/',
  '](',
  '[x]',
  '(',
  ')',
  '<',
  '>',
  '@everyone',
  '@',
  'here',
  '<@1>',
  '!',
  ' ',
  '\n',
  'javascript:',
  '\u202e',
  'https://ok.example/a',
  '_',
  '`',
  ':',
  '//',
);
const hostile = fc.array(shard, { maxLength: 14 }).map((shards) => shards.join(''));

describe('a hostile text against the rules alone', () => {
  test(`no mixture flows where a part may not (${NUM_RUNS} draws, seed ${SEED})`, () => {
    fc.assert(
      fc.property(fc.array(label, { minLength: 1, maxLength: 5 }), clearance, (parts, to) => {
        const written = capModel(join(...parts));
        expect(written.integrity).toBeLessThanOrEqual(Math.min(1, ...parts.map((part) => part.integrity)));
        if (canFlow(written, to)) for (const part of parts) expect(canFlow(part, to)).toBe(true);
      }),
      { numRuns: NUM_RUNS, seed: SEED },
    );
  });

  test(`two texts that may not be shown give the same words (${NUM_RUNS} draws, seed ${SEED})`, () => {
    fc.assert(
      fc.property(hostile, hostile, label, clearance, (one, other, own, to) => {
        const shown = [one, other].map((text) =>
          filterReply({ text, label: own, clearance: to, trustedUrls: new Set([one]) }),
        );
        if (!canFlow(own, to)) expect(shown[0]).toEqual(shown[1]);
      }),
      { numRuns: NUM_RUNS, seed: SEED },
    );
  });

  test(`nothing glued together acts by itself (${NUM_RUNS} draws, seed ${SEED})`, () => {
    fc.assert(
      fc.property(hostile, (text) => {
        const shown = filterReply({
          text,
          label: makeLabel(1),
          clearance: { kind: 'tags', tags: [] },
          trustedUrls: new Set(['https://ok.example/a']),
        });
        const bare = shown.text.replaceAll('https://ok.example/a', 'OK').replace(/[\p{Cf}*_~`|\\]/gu, '');
        // Mail addresses stay by design: nobody is written to without a click and a text.
        const named = bare.replace(/[\p{L}\p{N}_+.-]+@[\p{L}\p{N}.-]+/gu, 'MAIL');
        expect(named).not.toMatch(/https?:|evil\.example/iu);
        // A client takes these as they stand.
        expect(shown.text).not.toMatch(/@everyone|@here|<@\d+>|!\[/iu);
      }),
      { numRuns: NUM_RUNS, seed: SEED },
    );
  });

  test(`no glued path is a note and yet something else (${NUM_RUNS} draws, seed ${SEED})`, () => {
    const part = fc.constantFrom(
      'notes',
      'skills',
      'SYSTEM',
      'AGENTS',
      'logs',
      '..',
      '.',
      '',
      '.md',
      'ops',
      'contexts',
      'board',
      'memory',
      '\u200b',
      '\u0000',
      ' ',
      'ſkills',
      '\\',
      'MD',
      '.MD',
    );
    const path = fc
      .array(fc.tuple(part, fc.constantFrom('/', '', '//')), { minLength: 1, maxLength: 6 })
      .map((parts) => parts.flat().join(''));
    fc.assert(
      fc.property(path, (drawn) => {
        const kind = classifyPath(drawn, 'ops' as never); // safe: only compared
        if (kind === 'note')
          expect(drawn).toMatch(
            /^(?:notes|research)\/(?!.*(?:^|\/)(?:system|agents|soul|append_system)\.md$)[^\\\0\u200b]+$/i,
          );
        if (kind === 'context-memory') expect(drawn).toMatch(/^contexts\/ops\/memory(?:\.md|\/[^/]+)$/i);
        if (drawn.split('/').some((one) => one === '..' || one === '')) expect(kind).toBe('forbidden');
      }),
      { numRuns: NUM_RUNS, seed: SEED },
    );
  });

  test(`an effect of other bytes has another digest (${NUM_RUNS} draws, seed ${SEED})`, () => {
    const bytes = fc.record({
      kind: fc.constantFrom('message.post', 'file.write'),
      sink: fc.record({
        connector: fc.constantFrom('chat', 'files'),
        account: fc.constant('a'),
        address: hostile,
      }),
      recipients: fc.array(hostile, { maxLength: 2 }),
      payloads: fc.array(fc.record({ text: hostile }), { maxLength: 3 }),
    });
    fc.assert(
      fc.property(bytes, bytes, (one, other) => {
        expect(effectDigest(one) === effectDigest(other)).toBe(JSON.stringify(one) === JSON.stringify(other));
      }),
      { numRuns: NUM_RUNS, seed: SEED },
    );
  });
});
