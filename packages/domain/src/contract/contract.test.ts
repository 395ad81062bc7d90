import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { AppError, ERROR_KINDS, type ErrorKind } from '../base/index.ts';
import { INTEGRITY } from '../label/index.ts';
import type { Run } from '../task/index.ts';
import {
  applyTextEvent,
  askResult,
  askResultSchema,
  digestSchema,
  errorEnvelope,
  errorEnvelopeSchema,
  errorFromBody,
  fromInstant,
  instantSchema,
  parseWire,
  postEventSchema,
  runEventSchema,
  runView,
  runViewSchema,
  textEventBetween,
  toInstant,
} from './index.ts';

const run = {
  id: 'run_00000001',
  task: 'task_00000001',
  workspace: 'community',
  context: 'cli',
  conversation: 'conv_00000001',
  input: 'mesg_00000001',
  state: 'succeeded',
  attempt: 1,
  label: { integrity: INTEGRITY.member, audience: [] },
  createdAt: 1,
  output: 'Within 30 days.',
  citations: [{ path: 'faq.md', line: 3 }],
  pendingApprovals: ['appr_00000001'],
} as unknown as Run; // safe: a test value with ids of the right form

describe('instants', () => {
  it('property: come back as they went', () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 4_000_000_000_000 }), (atMs) => {
        const text = toInstant(atMs);
        expect(instantSchema.parse(text)).toBe(text);
        expect(fromInstant(text)).toBe(atMs);
      }),
    );
  });

  it('are in UTC only', () => {
    expect(instantSchema.safeParse('2026-11-21T14:03:00+02:00').success).toBe(false);
    expect(instantSchema.safeParse('yesterday').success).toBe(false);
  });
});

describe('errors', () => {
  it.each(Object.keys(ERROR_KINDS) as ErrorKind[])('of kind %s come back whole, without detail', (kind) => {
    const error = new AppError({ code: `base.x.${kind}`, kind, message: 'why', detail: 'secret' });
    const body: unknown = JSON.parse(JSON.stringify(errorEnvelope(error)));
    expect(errorEnvelopeSchema.parse(body)).toEqual({
      error: { code: `base.x.${kind}`, kind, message: 'why' },
    });
    expect(errorFromBody(body)).toMatchObject({
      code: `base.x.${kind}`,
      kind,
      message: 'why',
      detail: undefined,
    });
  });

  it('anything else is no envelope', () => {
    for (const body of [undefined, 'x', {}, { error: {} }, { error: { code: 'a', kind: 'b', message: 'c' } }])
      expect(errorFromBody(body)).toBeUndefined();
  });

  it.each([
    [z.strictObject({ a: z.string() }), {}, 'a: is missing'],
    [z.strictObject({ a: z.enum(['x', 'y']) }), {}, 'a: is missing'],
    [z.strictObject({ a: z.string() }), { a: 3 }, 'a: must be a text'],
    [z.strictObject({ a: z.string() }), { a: 'x', b: 1, c: 2 }, 'body: has unknown members: b, c'],
    [z.string().min(4), 'abc', 'body: must have at least 4 characters'],
    [z.string().min(1), '', 'body: must not be empty'],
    [z.string().max(1), 'ab', 'body: must have at most 1 character'],
    [z.array(z.string()).max(2), ['a', 'b', 'c'], 'body: must have at most 2 items'],
    [z.array(z.string()).min(1), [], 'body: must not be empty'],
    [z.coerce.number().int().min(1).max(500), '0', 'body: must be 1 or more'],
    [z.coerce.number().int().min(1).max(500), '501', 'body: must be 500 or less'],
    [z.coerce.number(), 'many', 'body: must be a number'],
    [z.int(), 1.5, 'body: must be a whole number'],
    [z.enum(['x', 'y']), 'z', 'body: must be one of x, y'],
    [z.literal(1), 2, 'body: must be 1'],
    [instantSchema, 'soon', 'body: must be an instant in UTC such as 2027-01-01T00:00:00Z'],
    [digestSchema, 'x', 'body: has not the right form'],
    [z.string().refine(() => false, 'use a slug'), 'x', 'body: use a slug'],
    [z.string().refine(() => false), 'x', 'body: does not fit'],
    [z.union([z.string(), z.number()]), true, 'body: does not fit'],
  ])('are told in our own words (%#)', (schema, value, words) => {
    expect(() => parseWire(schema, value, 'body')).toThrow(`The body does not fit: ${words}.`);
  });

  it('parseWire names the place and the thing', () => {
    expect(() => parseWire(postEventSchema, { schema_version: 1 }, 'body')).toThrow(/type: /);
    expect(() => parseWire(postEventSchema, 7, 'body')).toThrow(/The body does not fit: body: /);
  });
});

describe('POST /v1/events', () => {
  const body = { schema_version: 1, type: 'message', conversation_key: 'a', user_key: 'b', text: 'ping' };

  it('takes the documented body', () => {
    expect(postEventSchema.parse(body)).toEqual(body);
    const full = { ...body, idempotency_key: 'k', raw: { any: ['thing', { deep: null }] } };
    expect(postEventSchema.parse(full)).toEqual(full);
  });

  it.each([
    ['another version', { schema_version: 2 }],
    ['another type', { type: 'command' }],
    ['no text', { text: '' }],
    ['a text that is too long', { text: 'x'.repeat(64_001) }],
    ['no conversation', { conversation_key: '' }],
    ['an endless key', { user_key: 'x'.repeat(201) }],
    ['a misspelt member', { idempotencykey: 'x' }],
  ])('refuses %s', (_name, change) => {
    expect(postEventSchema.safeParse({ ...body, ...change }).success).toBe(false);
  });
});

describe('views of a run', () => {
  it('show the documented members and nothing else', () => {
    expect(runViewSchema.parse(runView(run))).toEqual({
      run_id: 'run_00000001',
      status: 'succeeded',
      output: 'Within 30 days.',
    });
    expect(askResultSchema.parse(askResult(run))).toEqual({
      run_id: 'run_00000001',
      status: 'succeeded',
      output: 'Within 30 days.',
      citations: [{ path: 'faq.md', line: 3 }],
      pending_approvals: ['appr_00000001'],
    });
  });

  it('leave out what is not there', () => {
    const { output: _output, citations: _citations, ...rest } = run;
    const bare: Run = { ...rest, state: 'queued', pendingApprovals: [] };
    expect(askResult(bare)).toEqual({ run_id: 'run_00000001', status: 'queued' });
  });

  it('show a failure without its detail', () => {
    const error = { code: 'run.llm.unavailable', kind: 'unavailable', message: 'down' } as const;
    const failed: Run = { ...run, state: 'failed', error };
    expect(askResultSchema.parse(askResult(failed)).error).toEqual(error);
  });
});

describe('the text of a stream', () => {
  it('property: events rebuild every version of the answer', () => {
    fc.assert(
      fc.property(fc.array(fc.string({ unit: 'binary', maxLength: 12 }), { maxLength: 8 }), (versions) => {
        let shown = '';
        let before = '';
        for (const after of versions) {
          const event = textEventBetween(before, after);
          if (event !== undefined) {
            expect(runEventSchema.parse({ type: 'text', run_id: 'run_00000001', ...event })).toBeDefined();
            shown = applyTextEvent(shown, event);
          }
          expect(shown).toBe(after);
          before = after;
        }
      }),
    );
  });

  it('sends only what is new, and no half of a pair', () => {
    expect(textEventBetween('abc', 'abcd')).toEqual({ offset: 3, text: 'd' });
    expect(textEventBetween('abc', 'abc')).toBeUndefined();
    expect(textEventBetween('a😀', 'a😁')).toEqual({ offset: 1, text: '😁' });
    expect(textEventBetween('abc', 'ab')).toEqual({ offset: 2, text: '' });
  });
});

describe('a digest', () => {
  it('has one form', () => {
    expect(digestSchema.safeParse(`sha256:${'0'.repeat(64)}`).success).toBe(true);
    for (const text of ['', `sha256:${'0'.repeat(63)}`, `sha256:${'0'.repeat(65)}`, `sha1:${'0'.repeat(64)}`])
      expect(digestSchema.safeParse(text).success).toBe(false);
  });
});
