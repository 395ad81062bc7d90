import { describe, expect, test } from 'vitest';
import { checkFloors } from './floors.ts';
import { findCycles } from './graph.ts';
import { describeViolations, readSources } from './source.ts';

/** Messages of the floor rules that one file with this text breaks. */
function refusals(path: string, text: string): string[] {
  return checkFloors([{ path, text }]).map(({ message }) => message);
}

describe('floors of the house', () => {
  const sources = readSources();

  test('there is something to check', () => {
    expect(sources.map(({ path }) => path)).toContain('packages/domain/src/index.ts');
  });

  test('screens (.tsx) are checked as well', () => {
    expect(sources.map(({ path }) => path)).toContain('apps/tui/src/app/app.tsx');
    const text = `import { a } from '@agent-runtime/store';\nexport const A = () => <Text>{a}</Text>;`;
    expect(refusals('apps/tui/src/screens/a/a.tsx', text)).toEqual(['tui may not import store']);
  });

  test('every import looks down', { timeout: 60_000 }, () => {
    expect(describeViolations(checkFloors(sources))).toEqual([]);
  });
});

describe('every form of import is seen', () => {
  const forms = [
    `import { a } from 'X';`,
    `import 'X';`,
    `import type { A } from 'X';`,
    `import { type A } from 'X';`,
    `export { a } from 'X';`,
    `export type { A } from 'X';`,
    `export * from 'X';`,
    `export * as a from 'X';`,
    `const a = await import('X');`,
    'const a = await import(`X`);',
    `type A = import('X').A;`,
    `type A = typeof import('X');`,
    `import a = require('X');`,
    `const a = require('X');`,
    `const f = async () => { if (1) { for (;;) { await import('X'); } } };`,
    `import {\n  a, // 'Y'\n  b,\n} from 'X';`,
  ];
  test.each(forms)('%s', (form) => {
    const text = form.replace('X', '@agent-runtime/store');
    expect(refusals('packages/engine/src/run.ts', text)).toEqual(['engine may not import store']);
  });

  test('a built-in module fetched from process', () => {
    const text = `const fs = process.getBuiltinModule('node:fs');`;
    expect(refusals('packages/domain/src/base/a.ts', text)).toEqual(['domain may not use node:fs']);
  });

  test('words in comments and strings are not imports', () => {
    const text = `// import '@agent-runtime/store'\nexport const a = "import '@agent-runtime/store'";`;
    expect(refusals('packages/engine/src/run.ts', text)).toEqual([]);
  });

  test('a file that cannot be parsed is an error, never a pass', () => {
    expect(() => refusals('packages/engine/src/run.ts', 'import {')).toThrow(/cannot be parsed/);
  });
});

describe('who may import whom', () => {
  test.each([
    ['packages/engine/src/a.ts', 'store'],
    ['packages/store/src/a.ts', 'engine'],
    ['packages/adapters/src/a.ts', 'tools'],
    ['packages/tools/src/a.ts', 'pki'],
    ['packages/pki/src/a.ts', 'store'],
    ['packages/testkit/src/a.ts', 'engine'],
    ['packages/domain/src/base/a.ts', 'engine'],
    ['apps/tui/src/a.ts', 'engine'],
    ['apps/tui/src/a.ts', 'runtime'],
    ['apps/runtime/src/a.ts', 'tui'],
    ['apps/toolrunner/src/a.ts', 'store'],
    ['apps/qmd/src/a.ts', 'adapters'],
    ['apps/egress/src/a.ts', 'tools'],
    ['apps/runtime/src/a.ts', 'testkit'],
    ['packages/engine/src/a.ts', 'testkit'],
  ])('%s may not import %s', (path, room) => {
    const name = path.split('/')[1];
    expect(refusals(path, `import '@agent-runtime/${room}';`)).toEqual([`${name} may not import ${room}`]);
  });

  test.each([
    ['packages/engine/src/a.ts', 'domain'],
    ['apps/runtime/src/a.ts', 'store'],
    ['apps/tui/src/a.ts', 'pki'],
    ['apps/toolrunner/src/a.ts', 'tools'],
    ['packages/engine/src/a.test.ts', 'testkit'],
    ['packages/engine/src/a.test.ts', 'store'],
    ['apps/runtime/bench/main.ts', 'testkit'],
    ['apps/runtime/demo/main.ts', 'testkit'],
  ])('%s may import %s', (path, room) => {
    expect(refusals(path, `import '@agent-runtime/${room}';`)).toEqual([]);
  });

  test('a room nobody entered into the table', () => {
    expect(refusals('packages/attic/src/a.ts', `import '@agent-runtime/domain';`)).toEqual([
      'attic has no line in fences.ts',
    ]);
  });

  test('its own name', () => {
    expect(refusals('packages/store/src/a.ts', `import '@agent-runtime/store';`)).toEqual([
      'imports its own package by name; use a relative path',
    ]);
  });
});

describe('doors between packages', () => {
  test('an inner file of another package, by name', () => {
    const [message] = refusals('apps/runtime/src/a.ts', `import '@agent-runtime/store/src/vault/key.ts';`);
    expect(message).toMatch(/reaches inside a package/);
  });

  test('an inner file of another package, by path, also from a test', () => {
    const text = `import '../../store/src/index.ts';`;
    expect(refusals('packages/engine/src/a.ts', text)[0]).toMatch(/leaves its package/);
    expect(refusals('packages/engine/src/a.test.ts', text)[0]).toMatch(/leaves its package/);
    expect(refusals('apps/runtime/src/a.ts', `import '../../../packages/store/src/index.ts';`)[0]).toMatch(
      /leaves its package/,
    );
  });

  test('a development file from product code', () => {
    expect(refusals('packages/engine/src/a.ts', `import './b.test.ts';`)[0]).toMatch(/only for development/);
    expect(refusals('apps/runtime/src/a.ts', `import '../bench/load.ts';`)[0]).toMatch(
      /only for development/,
    );
  });

  test('a computed name', () => {
    expect(refusals('apps/runtime/src/a.ts', 'await import(name);')[0]).toMatch(/computed name/);
    expect(refusals('apps/runtime/src/a.ts', `await import(\`./\${name}.ts\`);`)[0]).toMatch(/computed name/);
  });

  test('what a tool does is for the toolrunner only', () => {
    const text = `import '@agent-runtime/tools/run';`;
    expect(refusals('apps/runtime/src/a.ts', text)).toEqual([
      '@agent-runtime/tools/run is for toolrunner only',
    ]);
    expect(refusals('apps/toolrunner/src/a.ts', text)).toEqual([]);
  });

  test('the tools index reaches specs, never a run.ts', () => {
    const files = [
      { path: 'packages/tools/src/index.ts', text: `export * from './fetch/spec.ts';` },
      { path: 'packages/tools/src/fetch/spec.ts', text: `import './run.ts';` },
      { path: 'packages/tools/src/fetch/run.ts', text: '' },
    ];
    expect(describeViolations(checkFloors(files))).toEqual([
      'packages/tools/src/fetch/run.ts:1 is reachable from the tools index; only specs may be',
    ]);
  });
});

describe('library fences', () => {
  test.each([
    ['packages/domain/src/base/a.ts', 'kysely'],
    ['packages/engine/src/a.ts', 'better-sqlite3'],
    ['packages/engine/src/a.ts', 'grammy'],
    ['packages/store/src/a.ts', 'node-forge'],
    ['packages/tools/src/a.ts', '@ai-sdk/provider'],
    ['packages/adapters/src/a.ts', 'hono/streaming'],
    ['packages/adapters/src/a.ts', 'yaml'],
    ['packages/adapters/src/a.ts', 'turndown'],
    ['packages/store/src/a.ts', 'undici'],
    ['packages/tools/src/a.ts', '@modelcontextprotocol/sdk/client'],
    ['packages/engine/src/a.ts', 'pino'],
    ['apps/runtime/src/a.ts', 'ink'],
    ['apps/runtime/src/a.ts', '@tobilu/qmd'],
  ])('%s may not know %s', (path, library) => {
    expect(refusals(path, `import '${library}';`)[0]).toMatch(/ is for .* only$/);
  });

  test.each([
    ['packages/domain/src/base/a.ts', 'zod'],
    ['packages/adapters/src/llm/a.ts', '@ai-sdk/openai-compatible'],
    ['packages/store/src/a.ts', 'kysely'],
    ['apps/runtime/src/a.ts', '@hono/zod-openapi'],
    ['packages/adapters/src/connectors/conformance.ts', 'vitest'],
    ['packages/testkit/src/a.ts', 'fast-check'],
  ])('%s may know %s', (path, library) => {
    expect(refusals(path, `import '${library}';`)).toEqual([]);
  });

  test('a library without a fence', () => {
    expect(refusals('packages/store/src/a.ts', `import 'left-pad';`)[0]).toMatch(/no fence/);
  });

  test('the test runner in product code', () => {
    expect(refusals('packages/store/src/a.ts', `import 'vitest';`)[0]).toMatch(/is for tests/);
  });
});

describe('floor 0', () => {
  test('ranks: down is allowed, up is not', () => {
    expect(refusals('packages/domain/src/effect/a.ts', `import '../label/index.ts';`)).toEqual([]);
    expect(refusals('packages/domain/src/label/a.ts', `import '../effect/index.ts';`)).toEqual([
      'label imports effect, which ranks above it',
    ]);
  });

  test('tests may look up', () => {
    expect(refusals('packages/domain/src/label/a.test.ts', `import '../effect/index.ts';`)).toEqual([]);
  });

  test('rooms without a rank, and the index from within', () => {
    expect(refusals('packages/domain/src/label/a.ts', `import '../attic/a.ts';`)[0]).toMatch(
      /without a rank/,
    );
    expect(refusals('packages/domain/src/attic/a.ts', `import '../base/a.ts';`)[0]).toMatch(/ranks above/);
    expect(refusals('packages/domain/src/label/a.ts', `import '../index.ts';`)[0]).toMatch(
      /index of its own/,
    );
  });

  test('digests are computation, files are not', () => {
    expect(refusals('packages/domain/src/base/a.ts', `import { createHash } from 'node:crypto';`)).toEqual(
      [],
    );
    for (const name of ['node:fs', 'fs', 'fs/promises', 'node:process', 'node:sqlite']) {
      expect(refusals('packages/domain/src/base/a.ts', `import '${name}';`)[0]).toMatch(/domain may not use/);
    }
  });
});

describe('cycles', () => {
  test('between files of one package, also by types only', () => {
    const files = [
      { path: 'packages/store/src/a.ts', text: `import './b.ts';` },
      { path: 'packages/store/src/b.ts', text: `import type { C } from './c/c.ts';` },
      { path: 'packages/store/src/c/c.ts', text: `export * from '../a.ts';` },
    ];
    expect(describeViolations(checkFloors(files))).toEqual([
      'packages/store/src/a.ts:1 import cycle: packages/store/src/a.ts -> packages/store/src/b.ts -> packages/store/src/c/c.ts -> packages/store/src/a.ts',
    ]);
  });

  test('a shared file below two others is no cycle', () => {
    const graph = new Map([
      ['a', ['b', 'c']],
      ['b', ['d']],
      ['c', ['d']],
      ['d', []],
    ]);
    expect(findCycles(graph)).toEqual([]);
  });

  test('two knots are two findings, a loop onto itself is one', () => {
    const graph = new Map([
      ['a', ['b']],
      ['b', ['a']],
      ['c', ['d']],
      ['d', ['d']],
    ]);
    expect(findCycles(graph)).toEqual([
      ['a', 'b', 'a'],
      ['d', 'd'],
    ]);
  });
});
