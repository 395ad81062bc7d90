import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { AppError, ERROR_KINDS, toAppError, toPublicError } from './error.ts';
import {
  ID_PREFIXES,
  type IdNoun,
  isSlug,
  parseContextId,
  parseId,
  parseWorkspaceId,
  slugify,
} from './id.ts';
import { anyText } from './text.fixture.ts';

const NOUNS = Object.keys(ID_PREFIXES) as IdNoun[]; // safe: keys of that table
const BODY = fc.string({
  unit: fc.constantFrom(...'0123456789abcdefghjkmnpqrstvwxyz'),
  minLength: 8,
  maxLength: 40,
});

describe('ids', () => {
  it('know their noun: every other noun is refused', () => {
    fc.assert(
      fc.property(fc.constantFrom(...NOUNS), fc.constantFrom(...NOUNS), BODY, (own, other, body) => {
        const id = `${ID_PREFIXES[own]}_${body}`;
        expect(parseId(own, id)).toBe(id);
        if (own !== other) expect(() => parseId(other, id)).toThrow(AppError);
      }),
    );
  });

  it('refuse anything around or inside them', () => {
    for (const bad of [
      '',
      'run_',
      'run_short',
      'run_0000000O',
      'run_00000000\n',
      ' run_00000000',
      'run_0000/0000',
      `run_${'0'.repeat(41)}`,
      'RUN_00000000',
    ])
      expect(() => parseId('run', bad), bad).toThrow(expect.objectContaining({ code: 'base.id.invalid' }));
  });

  it('slugs are folder names without surprises', () => {
    for (const good of ['a', 'a-b', '0', 'x'.repeat(48)]) expect(isSlug(good)).toBe(true);
    for (const bad of ['', '-a', 'a-', 'A', 'a_b', 'a/b', '..', 'a.b', 'ä', 'x'.repeat(49), 'a\n']) {
      expect(isSlug(bad), bad).toBe(false);
      expect(() => parseWorkspaceId(bad)).toThrow(expect.objectContaining({ code: 'base.slug.invalid' }));
      expect(() => parseContextId(bad)).toThrow(expect.objectContaining({ code: 'base.slug.invalid' }));
    }
    expect(parseWorkspaceId('garden')).toBe('garden');
    expect(parseContextId('general')).toBe('general');
  });

  it('anything can be made a slug', () => {
    fc.assert(fc.property(anyText, (text) => void expect(isSlug(slugify(text))).toBe(true)));
  });
});

describe('errors', () => {
  it('each kind has its own exit code', () => {
    const exits = Object.values(ERROR_KINDS).map((kind) => kind.exit);
    expect(new Set(exits).size).toBe(exits.length);
  });

  it('show code, kind and message, never detail, cause or stack', () => {
    const error = new AppError({
      code: 'base.x.invalid',
      kind: 'invalid',
      message: 'No.',
      detail: 'D3TAIL',
      cause: new Error('C4USE'),
    });
    expect(toPublicError(error)).toEqual({ code: 'base.x.invalid', kind: 'invalid', message: 'No.' });
    expect(toAppError(error, 'ref')).toBe(error);
  });

  it('what is not ours becomes a bug with a reference and without its words', () => {
    for (const thrown of [new Error('s3cret words'), 's3cret words']) {
      const error = toAppError(thrown, 'ref_1');
      expect(error.kind).toBe('bug');
      expect(error.message).toContain('ref_1');
      expect(JSON.stringify(toPublicError(error))).not.toContain('s3cret');
      expect(String(error.detail)).toContain('s3cret words');
    }
  });
});
