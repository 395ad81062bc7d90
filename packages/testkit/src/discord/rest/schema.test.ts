import { describe, expect, test } from 'vitest';
import { type Schema, schemaChecker } from './schema.ts';

const SCHEMAS: Record<string, Schema> = {
  Id: { type: 'string', pattern: '^(0|[1-9][0-9]*)$' },
  Kind: { type: 'integer', oneOf: [{ const: 1 }, { const: 2 }] },
  Row: {
    type: 'object',
    required: ['type'],
    properties: { type: { enum: [1] } },
  },
  Button: {
    type: 'object',
    required: ['type', 'label'],
    properties: { type: { enum: [2] }, label: { type: 'string', maxLength: 3 } },
  },
};
const check = schemaChecker(SCHEMAS);
const part: Schema = { oneOf: [{ $ref: '#/x/Row' }, { $ref: '#/x/Button' }] };

describe('fits', () => {
  test.each<[unknown, Schema]>([
    ['12', { $ref: '#/x/Id' }],
    [2, { $ref: '#/x/Kind' }],
    [null, { type: ['string', 'null'], maxLength: 1 }],
    [1.5, { type: 'number', minimum: 1, maximum: 2 }],
    [3, { type: 'number' }],
    ['🧨🧨', { type: 'string', maxLength: 2 }],
    [{ type: 2, label: 'yes' }, part],
    [
      { a: 1, b: 2 },
      { type: 'object', additionalProperties: { type: 'integer' }, maxProperties: 2 },
    ],
    [[1, 2], { type: 'array', uniqueItems: true, minItems: 2, maxItems: 2, items: { type: 'integer' } }],
    ['attachment://a.png', { format: 'uri' }],
    ['2026-01-01T00:00:00Z', { format: 'date-time' }],
    [undefined, {}],
  ])('%j in %j', (value, schema) => {
    expect(check(schema, value)).toEqual([]);
  });
});

describe('does not fit', () => {
  test.each<[unknown, Schema, string[]]>([
    ['012', { $ref: '#/x/Id' }, []],
    [3, { $ref: '#/x/Kind' }, []],
    [null, { type: 'string' }, []],
    [1.5, { type: 'integer' }, []],
    [3, { minimum: 4 }, []],
    [3, { maximum: 2 }, []],
    [2 ** 31, { type: 'integer', format: 'int32' }, []],
    ['abc', { maxLength: 2 }, []],
    ['', { minLength: 1 }, []],
    [{ type: 2, label: 'long' }, part, ['label']],
    [{ type: 3 }, part, ['type']],
    [{ a: 'x' }, { additionalProperties: { type: 'integer' } }, ['a']],
    [{ a: 1 }, { additionalProperties: false }, ['a']],
    [{ a: 1, b: 1 }, { maxProperties: 1 }, []],
    [{}, { minProperties: 1 }, []],
    [{}, { required: ['a'] }, ['a']],
    [[1, 1], { uniqueItems: true }, []],
    [3, { allOf: [{ $ref: '#/x/Kind' }] }, []],
    [[1], { minItems: 2 }, []],
    [[1, 2], { maxItems: 1 }, []],
    [[1, 'x'], { items: { type: 'integer' } }, ['1']],
    ['no url', { format: 'uri' }, []],
    ['noon', { format: 'date-time' }, []],
    ['x', { $ref: '#/x/Unknown' }, []],
    ['x', { anyOf: [{ type: 'integer' }, { type: 'null' }] }, []],
  ])('%j in %j', (value, schema, at) => {
    expect(check(schema, value).map((problem) => problem.at)).toEqual([at]);
  });
});
