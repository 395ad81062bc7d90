import { describe, expect, test } from 'vitest';
import { checkAmbient } from './ambient.ts';
import { describeViolations, readSources } from './source.ts';

const refusals = (path: string, text: string) => checkAmbient([{ path, text }]).map(({ message }) => message);

// Parses every source.
test('clock, randomness and environment come in at the doors only', { timeout: 60_000 }, () => {
  expect(describeViolations(checkAmbient(readSources()))).toEqual([]);
});

describe('what reads the world', () => {
  test.each([
    'const at = Date.now();',
    `const at = Date['now']();`,
    'const at = new Date();',
    'const at = new globalThis.Date();',
    'const at = Date();',
    'const { now } = Date;',
    'const at = performance.now();',
    'const at = globalThis.performance.now();',
    'const at = process.hrtime.bigint();',
    `import { randomUUID } from 'node:crypto';`,
    `import { randomBytes as bytes } from 'node:crypto';`,
    'const id = crypto.randomUUID();',
    'crypto.getRandomValues(buffer);',
    'const n = Math.random();',
    'const home = process.env.HOME;',
    `const home = process['env'].HOME;`,
    'const home = globalThis.process.env.HOME;',
    'const { env } = process;',
    'const { env: e } = globalThis.process;',
    `import { env } from 'node:process';`,
    `import { performance } from 'node:perf_hooks'; performance.now();`,
  ])('%s', (text) => {
    expect(refusals('packages/engine/src/a.ts', text)).not.toEqual([]);
  });
});

test('a screen (.tsx) has no clock of its own', () => {
  const text = 'export const A = () => <Text>{Date.now()}</Text>;';
  expect(refusals('apps/tui/src/screens/a/a.tsx', text)).toHaveLength(1);
});

describe('what does not', () => {
  test.each([
    'const at = new Date(epochMs);',
    'const at = new Date(text).toISOString();',
    'const at = clock.now();',
    'const at = Date.parse(text);',
    '// Date.now() would be wrong here',
    `const text = 'process.env and Math.random()';`,
    '/* randomBytes */ const env = 1;',
    'const x = { now: 1, env: 2 };',
    'const x = constructor.toString();',
    'function at(now: number, date: Date): Date { return date; }',
  ])('%s', (text) => {
    expect(refusals('packages/engine/src/a.ts', text)).toEqual([]);
  });
});

describe('where it is allowed', () => {
  test.each([
    ['apps/runtime/src/main.ts', 'Date.now(); crypto.randomUUID(); process.env.A;'],
    ['apps/runtime/src/config.ts', 'process.env.A;'],
    ['packages/pki/src/serial.ts', 'crypto.randomBytes(16);'],
    ['packages/store/src/vault/seal.ts', 'crypto.randomBytes(24);'],
    ['packages/engine/src/a.test.ts', 'Date.now();'],
    ['packages/testkit/src/a.ts', 'Date.now();'],
    ['packages/adapters/src/llm/conformance.ts', 'Date.now();'],
    ['apps/runtime/bench/main.ts', 'performance.now();'],
    ['apps/runtime/demo/main.ts', 'process.env.A;'],
  ])('%s: %s', (path, text) => {
    expect(refusals(path, text)).toEqual([]);
  });

  test.each([
    ['apps/runtime/src/config.ts', 'Date.now();'],
    ['apps/runtime/src/public/main.ts', 'Date.now();'],
    ['apps/runtime/src/admin/config.ts', 'process.env.A;'],
    ['packages/pki/src/serial.ts', 'Date.now();'],
    ['packages/pki/src/serial.ts', 'process.env.A;'],
    ['packages/store/src/vault/seal.ts', 'process.env.A;'],
    ['packages/store/src/vaults.ts', 'crypto.randomBytes(24);'],
    ['packages/domain/src/base/id.ts', 'crypto.randomUUID();'],
  ])('not in %s: %s', (path, text) => {
    expect(refusals(path, text)).not.toEqual([]);
  });
});
