import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { parseArguments, type ToolSpec, toolSchema } from './tool.ts';

const spec = {
  name: 'md_read',
  input: z.strictObject({ path: z.string(), line: z.number().int().optional() }),
} as unknown as ToolSpec; // safe: only name and input are looked at
const empty = { name: 'now', input: z.strictObject({}) } as unknown as ToolSpec; // safe: as above
const parse = (argumentsJson: string, of: ToolSpec = spec) =>
  parseArguments(of, { id: '1', name: of.name, argumentsJson });
const invalid = expect.objectContaining({ code: 'tool.arguments.invalid', kind: 'invalid' });

describe('arguments of a call', () => {
  it('are one JSON object of the schema', () => {
    expect(parse('{"path":"a.md","line":3}')).toEqual({ path: 'a.md', line: 3 });
  });

  it('are repaired only where the meaning is beyond doubt', () => {
    expect(parse(' ```json\n{"path":"a.md"}\n``` ')).toEqual({ path: 'a.md' });
    expect(parse('```\n{"path":"a.md"}\n```')).toEqual({ path: 'a.md' });
    expect(parse('', empty)).toEqual({});
    expect(parse('  ', empty)).toEqual({});
  });

  it('everything else is refused', () => {
    for (const raw of [
      '',
      '{',
      '{"path":"a.md"',
      "{'path':'a.md'}",
      '{"path":"a.md"} and',
      '{"path":"a.md"}{"path":"b.md"}',
      '[]',
      'null',
      '"a.md"',
      '{"path":1}',
      '{"path":"a.md","more":1}',
      '{"path":"a.md","line":1.5}',
      '{"__proto__":{"path":"a.md"}}',
      '{"path":"a.md","__proto__":1}',
    ])
      expect(() => parse(raw), raw).toThrow(invalid);
  });

  it('any text either parses to the schema or is refused', () => {
    fc.assert(
      fc.property(fc.oneof(fc.string(), fc.json()), (raw) => {
        try {
          expect(typeof parse(raw).path).toBe('string');
        } catch (thrown) {
          expect(thrown).toEqual(invalid);
        }
      }),
    );
  });

  it('the schema that a provider sees is closed', () => {
    expect(toolSchema(spec)).toMatchObject({
      type: 'object',
      additionalProperties: false,
      required: ['path'],
    });
    expect(toolSchema(spec)).not.toHaveProperty('$schema');
  });
});
