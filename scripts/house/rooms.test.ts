import { describe, expect, test } from 'vitest';
import { checkNouns, checkRoomIndexes, roomsOf } from './rooms.ts';
import { describeViolations, readSources } from './source.ts';

const rooms = new Set(['effect', 'audit', 'file-label']);

function refusals(text: string, path = 'packages/store/src/effect/a.ts'): string[] {
  return checkNouns([{ path, text }], rooms).map(({ message }) => message);
}

describe('rooms of the house', () => {
  const sources = readSources();

  test('there are rooms', () => {
    expect(roomsOf(sources).size).toBeGreaterThan(5);
  });

  test('every error code, action and table starts with a room', () => {
    expect(describeViolations(checkNouns(sources, roomsOf(sources)))).toEqual([]);
  });

  test('every room says what it owns, what it never does, who calls it, what holds', () => {
    expect(describeViolations(checkRoomIndexes(sources))).toEqual([]);
  });
});

describe('what counts as a room', () => {
  const paths = (...list: string[]) => roomsOf(list.map((path) => ({ path, text: '' })));

  test('folders of any depth, flat packages, apps', () => {
    const found = paths(
      'packages/adapters/src/connectors/telegram/render.ts',
      'packages/adapters/src/index.ts',
      'packages/pki/src/index.ts',
      'apps/tui/src/screens/a.ts',
    );
    expect([...found].sort()).toEqual(['connectors', 'pki', 'screens', 'telegram', 'tui']);
  });

  test('bench and demo make no rooms', () => {
    expect([...paths('apps/runtime/src/main.ts', 'apps/runtime/bench/load/a.ts')]).toEqual(['runtime']);
  });
});

describe('error codes', () => {
  test.each([
    `new AppError({ code: 'effect.digest.conflict', kind: 'conflict', message })`,
    `appError({ code: 'audit.chain.bug', kind: 'bug' })`,
    `new AppError({ code: old ? 'effect.a.missing' : 'effect.b.conflict', kind: old ? 'missing' : 'conflict' })`,
    `new AppError({ code: \`effect.\${what}.missing\`, kind: 'missing' })`,
    `new AppError({ code: \`effect.\${what}.\${kind}\`, kind })`,
    `new AppError(init)`,
    `log('see effect.md', 'a.b.c')`,
    `const host = 'socket.agent-runtime.invalid'`,
  ])('accepts %s', (text) => {
    expect(refusals(text)).toEqual([]);
  });

  test.each([
    [`new AppError({ code: 'efect.digest.conflict', kind: 'conflict' })`, `'efect', which is no room`],
    [`new AppError({ code: \`efect.\${what}.missing\`, kind: 'missing' })`, `'efect', which is no room`],
    [`appError({ code: 'nowhere.x.bug', kind: 'bug' })`, `'nowhere', which is no room`],
    [`const table = { gone: 'nowhere.x.missing' };`, `'nowhere', which is no room`],
    [`fail('nowhere.x.missing')`, `'nowhere', which is no room`],
    [`new AppError({ code: 'effect.conflict', kind: 'conflict' })`, 'three parts'],
    [`new AppError({ code: 'effect.a.b.conflict', kind: 'conflict' })`, 'three parts'],
    [`new AppError({ code: 'effect.digest.invalid', kind: 'conflict' })`, 'end with its kind'],
    [`new AppError({ code: 'effect.digest.broken', kind })`, 'end with its kind'],
    [`new AppError({ 'code': old ? 'effect.a.missing' : 'effect.b', kind: 'missing' })`, 'three parts'],
    [`throw new base.AppError({ code: 'effect', kind: 'bug' })`, 'three parts'],
  ])('refuses %s', (text, message) => {
    expect(refusals(text).join('\n')).toContain(message);
  });
});

describe('audit and policy actions', () => {
  test.each([
    `commit({ action: 'effect.propose' })`,
    `commit({ action: \`effect.\${verb}\` })`,
    `interface A { action: 'nowhere.x' }`,
    `button({ action: 'approve' })`,
  ])('accepts %s', (text) => {
    expect(refusals(text)).toEqual([]);
  });

  test.each([
    [`commit({ action: 'nowhere.propose' })`, `'nowhere', which is no room`],
    [`commit({ action: done ? 'effect.done' : 'nowhere.fail' })`, `'nowhere', which is no room`],
    [`commit({ action: 'nowhere.propose' as const })`, `'nowhere', which is no room`],
    [`commit({ action: 'effect.draft.propose' })`, 'two parts'],
  ])('refuses %s', (text, message) => {
    expect(refusals(text).join('\n')).toContain(message);
  });
});

describe('tables', () => {
  test.each([
    `db.schema.createTable('effect')`,
    `db.schema.createTable('effect_claim').ifNotExists()`,
    `db.schema.createTable('file_label_rule')`,
    'sql`create virtual table if not exists audit_search using fts5(text)`',
  ])('accepts %s', (text) => {
    expect(refusals(text)).toEqual([]);
  });

  test.each([
    [`db.schema.createTable('outbox_row')`, `'outbox_row'`],
    [`db.schema.createTable(name)`, 'literal name'],
    ['sql`CREATE TABLE IF NOT EXISTS "thing_a" (id text)`', `'thing_a'`],
    ['sql`create virtual table thing using fts5(text)`', `'thing'`],
    [`exec('create table effects (id text)')`, `'effects'`],
  ])('refuses %s', (text, message) => {
    expect(refusals(text).join('\n')).toContain(message);
  });
});

test('tests, benchmarks and demos may invent nouns', () => {
  const text = `new AppError({ code: 'nowhere', kind: 'bug' })`;
  expect(refusals(text, 'packages/store/src/effect/a.test.ts')).toEqual([]);
  expect(refusals(text, 'apps/runtime/bench/main.ts')).toEqual([]);
  expect(refusals(text)).toHaveLength(1);
});

describe('the opening of a room', () => {
  const opening = (text: string, path = 'packages/store/src/effect/index.ts') =>
    checkRoomIndexes([{ path, text }]).map(({ message }) => message);
  const lines = ['Owns: effects.', 'Never: performs one.', 'Callers: settle.', 'Invariants: single use.'];

  test('four line comments or one block are fine', () => {
    expect(opening(`${lines.map((line) => `// ${line}`).join('\n')}\nexport * from './a.ts';`)).toEqual([]);
    expect(opening(`/**\n * ${lines.join('\n * ')}\n */\nexport * from './a.ts';`)).toEqual([]);
  });

  test('each missing line is named', () => {
    for (const [index, heading] of ['Owns', 'Never', 'Callers', 'Invariants'].entries()) {
      const rest = lines.filter((_, at) => at !== index).map((line) => `// ${line}`);
      expect(opening(`${rest.join('\n')}\nexport {};`)[0]).toContain(`saying: ${heading} (`);
    }
  });

  test('a comment after the code, an empty heading and silence do not count', () => {
    const comment = lines.map((line) => `// ${line}`).join('\n');
    expect(opening(`export {};\n${comment}`)).toHaveLength(1);
    expect(opening('// Owns:\n// Never:\n// Callers:\n// Invariants:\nexport {};')).toHaveLength(1);
    expect(opening('export {};')).toHaveLength(1);
  });

  test('the index of a package is no room', () => {
    expect(opening('export {};', 'packages/store/src/index.ts')).toEqual([]);
  });
});
