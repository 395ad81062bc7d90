import {
  EFFECT_CLASSES,
  type JsonObject,
  parseArguments,
  type ToolSpec,
  toolSchema,
} from '@agent-runtime/domain';
import { describe, expect, test } from 'vitest';

/** One tool's share of a prompt, UTF-8 bytes of JSON. */
export const MAX_TOOL_BYTES = 420;

/** Values that models and attackers send where something else was asked for. */
const HOSTILE: readonly unknown[] = [
  null,
  true,
  0,
  -1,
  1.5,
  1e308,
  '',
  'x'.repeat(200_000),
  '\ud800',
  '../../etc/passwd',
  '/abs.md',
  'a\u0000b.md',
  'file:///etc/passwd',
  '__proto__',
  [],
  ['a'],
  {},
  { toString: 'x' },
];

/**
 * What every tool spec must hold.
 * @param samples arguments that are right, at least one; together they use every argument
 */
export function toolConformance(spec: ToolSpec, samples: readonly JsonObject[]): void {
  const call = (argumentsJson: string) => parseArguments(spec, { id: 'c', name: spec.name, argumentsJson });
  const properties = Object.keys(toolSchema(spec).properties ?? {});

  describe(`tool ${spec.name}`, () => {
    test('has a usable name, a class and sane limits', () => {
      expect(spec.name).toMatch(/^[a-z][a-z0-9_]{2,40}$/);
      expect(EFFECT_CLASSES).toContain(spec.class);
      expect(spec.class).not.toBe('A');
      expect(spec.limits.timeoutMs).toBeGreaterThan(0);
      expect(spec.limits.timeoutMs).toBeLessThanOrEqual(10 * 60_000);
      expect(spec.limits.maxResultBytes).toBeGreaterThan(0);
      expect(spec.limits.maxResultBytes).toBeLessThanOrEqual(256_000);
    });

    test('is small in a prompt', () => {
      expect(promptBytes([spec])).toBeLessThanOrEqual(MAX_TOOL_BYTES);
    });

    test('its schema is a strict object that bounds every text and number', () => {
      const schema = toolSchema(spec);
      expect(schema).toMatchObject({ type: 'object', additionalProperties: false });
      expect(unbounded(schema)).toEqual([]);
    });

    test('takes its samples unchanged, and they use every argument', () => {
      for (const sample of samples) expect(call(JSON.stringify(sample))).toEqual(sample);
      const used = new Set(samples.flatMap((sample) => Object.keys(sample)));
      expect([...used].sort()).toEqual([...properties].sort());
    });

    test('refuses an unknown argument and a missing one', () => {
      const [sample = {}] = samples;
      expect(() => call(JSON.stringify({ ...sample, surplus: 1 }))).toThrow(/do not fit/);
      const required = toolSchema(spec).required;
      for (const name of Array.isArray(required) ? required.map(String) : []) {
        const { [name]: _gone, ...rest } = sample;
        expect(() => call(JSON.stringify(rest)), name).toThrow(/do not fit/);
      }
    });

    test('hostile arguments are refused or give a target; nothing else is thrown', () => {
      for (const name of properties) {
        for (const value of HOSTILE) {
          const args = { ...samples[0], [name]: value };
          const parsed = spec.input.safeParse(args);
          if (parsed.success) expect(spec.target(parsed.data).kind).toBeTypeOf('string');
          // A target never throws either when someone forgot to parse.
          expect(spec.target(args as JsonObject).kind).toBeTypeOf('string'); // safe: deliberately wrong
        }
      }
      for (const raw of ['null', '[]', '"x"', '7', '{', '{"a":']) expect(() => call(raw)).toThrow(spec.name);
    });

    test('its target is pure: the same arguments give the same target and stay as they are', () => {
      for (const sample of samples) {
        const before = JSON.stringify(sample);
        const frozen = Object.freeze(structuredClone(sample));
        expect(spec.target(frozen)).toEqual(spec.target(frozen));
        expect(JSON.stringify(frozen)).toBe(before);
      }
    });

    test('its target fits its class', () => {
      for (const sample of samples) {
        const target = spec.target(sample);
        if (spec.class === 'R') expect(target.kind === 'workspace' || target.kind === 'file').toBe(true);
        if (spec.class === 'R' && target.kind === 'file') expect(target.access).toBe('read');
        if (spec.class === 'W1' || spec.class === 'W2')
          expect(target).toMatchObject({ kind: 'file', access: 'write' });
        if (spec.class === 'E1') expect(target.kind).toBe('message');
        if (spec.class === 'F') expect(target.kind).toBe('url');
      }
    });
  });
}

/** UTF-8 bytes that a list of tools takes in a request of the OpenAI protocol. */
export function promptBytes(specs: readonly ToolSpec[]): number {
  const tools = specs.map((spec) => ({
    type: 'function',
    function: { name: spec.name, description: spec.description, parameters: toolSchema(spec) },
  }));
  return Buffer.byteLength(JSON.stringify(tools));
}

/** Paths of texts and numbers in a schema that have no upper bound. */
function unbounded(schema: unknown, path = '$'): readonly string[] {
  if (typeof schema !== 'object' || schema === null) return [];
  const { type, maxLength, maximum, enum: choices } = schema as Record<string, unknown>; // safe: any object
  const own =
    (type === 'string' && maxLength === undefined && choices === undefined) ||
    ((type === 'integer' || type === 'number') && maximum === undefined)
      ? [path]
      : [];
  return [...own, ...Object.entries(schema).flatMap(([key, value]) => unbounded(value, `${path}.${key}`))];
}
