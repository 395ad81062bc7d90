import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { makeRedactor } from './redact.ts';

const CANARY = 'c4n4ry+"/käse\\value=42';
const { text, value } = makeRedactor(() => [CANARY, 'prefix-one', 'prefix-one-and-more', 'tiny']);
const shown = (input: unknown): string => JSON.stringify(value(input)) ?? '';

describe('the redactor', () => {
  it('hides an exact secret wherever it stands', () => {
    fc.assert(
      fc.property(fc.string(), fc.string(), (before, after) => {
        expect(text(before + CANARY + after)).not.toContain(CANARY);
      }),
    );
  });

  it('hides it inside JSON, URLs and base64', () => {
    for (const form of [JSON.stringify(CANARY), encodeURIComponent(CANARY)])
      expect(text(`a ${form} b`)).not.toMatch(/c4n4ry/);
    const base64 = Buffer.from(CANARY, 'utf8').toString('base64');
    expect(text(`Authorization is ${base64}`)).not.toContain(base64.slice(0, 12));
  });

  it('hides the longer of two secrets whole', () => {
    expect(text('prefix-one-and-more')).toBe('[redacted]');
  });

  it('leaves short values alone, and text without secrets', () => {
    expect(text('tiny words')).toBe('tiny words');
    expect(text('The refund takes 14 days, see faq.md:12.')).toBe('The refund takes 14 days, see faq.md:12.');
  });

  it('reads the secrets anew at each call', () => {
    const held = ['first-secret'];
    const redactor = makeRedactor(() => held);
    expect(redactor.text('second-secret')).toBe('second-secret');
    held.push('second-secret');
    expect(redactor.text('second-secret')).toBe('[redacted]');
  });

  // The samples are put together here, so that no scanner takes them for real.
  const samples: readonly (readonly [string, string])[] = [
    ['an OpenAI style key', `sk-${'a1B2'.repeat(8)}`],
    ['a bot token', `123456789:${'A-b_'.repeat(9)}`],
    ['a bot token in a URL', `https://api.telegram.org/bot123456789:${'A-b_'.repeat(9)}/getMe`],
    ['a Discord token', `${'M'.repeat(24)}.${'a'.repeat(6)}.${'b'.repeat(30)}`],
    ['an HTTP token of ours', `art_${'x'.repeat(30)}`],
    ['an invite code', Array.from({ length: 16 }, () => '7XK2').join('-')],
    ['a bearer header', `Bearer ${'q'.repeat(20)}`],
    ['a JSON web token', `eyJ${'a'.repeat(20)}.${'b'.repeat(20)}.${'c'.repeat(20)}`],
    ['a z.ai key', `${'0123456789abcdef'.repeat(2)}.${'Ab1'.repeat(5)}Z`],
    ['a GitHub token', `ghp_${'a1'.repeat(18)}`],
    ['a password in a URL', 'postgres://joe:hunter22@db.example/app'],
    ['a private key', `-----BEGIN PRIVATE KEY-----\n${'A'.repeat(40)}\n-----END PRIVATE KEY-----`],
    ['a private key that was cut', `-----BEGIN RSA PRIVATE KEY-----\n${'A'.repeat(40)}`],
  ];
  it.each([14, 16])('leaves no group of a code of %d groups', (groups) => {
    const code = Array.from({ length: groups }, () => '7XK2').join('-');
    expect(text(`see ${code} there`)).toBe('see [redacted] there');
  });

  it.each(samples)('knows the shape of %s', (_name, sample) => {
    const output = text(`see ${sample} there`);
    expect(output).toContain('[redacted]');
    for (const part of sample.match(/[A-Za-z0-9_]{12,}|hunter22/g) ?? [])
      if (!/telegram|getMe/.test(part)) expect(output).not.toContain(part);
  });

  it('takes the value from members named like a secret', () => {
    for (const name of [
      'token',
      'botToken',
      'BOT_TOKEN',
      'bot-token',
      'apiKey',
      'api_key',
      'clientSecret',
      'Authorization',
      'set-cookie',
      'masterKey',
      'privateKey',
      'password',
      'credentials',
    ]) {
      expect(shown({ [name]: 'abc' }), name).toContain('[redacted]');
      expect(shown({ [name]: 12345678 }), name).not.toContain('12345678');
      expect(shown({ [name]: { nested: ['abc'] } }), name).not.toContain('abc');
    }
  });

  it('leaves counts, switches and near names alone', () => {
    const input = { inputTokens: 12, tokens: 3, password: false, secret: undefined, idempotencyKey: 'k1' };
    expect(value(input)).toEqual(input);
  });

  it('looks into everything that JSON could show', () => {
    const key = `x${CANARY}`;
    const cyclic: Record<string, unknown> = { text: CANARY };
    cyclic.self = cyclic;
    for (const input of [
      [CANARY],
      new Set([CANARY]),
      new Map([[key, CANARY]]),
      { [key]: 1 },
      new Error(CANARY),
      Object.assign(new Error('x'), { code: CANARY }),
      new URL(`https://a.example/?q=${encodeURIComponent(CANARY)}`),
      { a: { b: { c: [CANARY] } } },
      cyclic,
    ]) {
      expect(shown(input)).not.toMatch(/c4n4ry/);
    }
    expect(value(Buffer.from(CANARY))).toBe(`[${Buffer.byteLength(CANARY)} bytes]`);
    expect(value(new Date(0))).toBe('1970-01-01T00:00:00.000Z');
  });

  it('keeps the shape of what it shows', () => {
    expect(value([1, [CANARY]])).toEqual([1, ['[redacted]']]);
    expect(value(new Set(['a']))).toEqual(['a']);
    expect(value(new Map([['a', CANARY]]))).toEqual({ a: '[redacted]' });
    expect(value({ a: { b: 'c' } })).toEqual({ a: { b: 'c' } });
    expect(value(Object.assign(new Error('m'), { code: 'E' }))).toEqual({
      name: 'Error',
      message: 'm',
      code: 'E',
    });
  });

  it('hides from six characters on, and base64 without its padding too', () => {
    const six = makeRedactor(() => ['sixsix', 'fivef']);
    expect(six.text('sixsix fivef')).toBe('[redacted] fivef');
    const base64 = Buffer.from('seven77').toString('base64');
    expect(makeRedactor(() => ['seven77']).text(base64.replace(/=+$/, ''))).toBe('[redacted]');
  });

  it('stops at depth eight', () => {
    let deep: unknown = CANARY;
    for (let i = 0; i < 20; i += 1) deep = { deep };
    expect(shown(deep)).toContain('[too deep]');
  });

  it('never throws', () => {
    fc.assert(fc.property(fc.anything(), (input) => void value(input)));
  });
});
