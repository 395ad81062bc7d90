import {
  type AudienceTag,
  type Decision,
  type JsonObject,
  type Label,
  type LabelledFile,
  makeLabel,
  permit,
  type Run,
  sha256,
  type WorkspaceFiles,
} from '@agent-runtime/domain';
import { recordingLogger } from '@agent-runtime/testkit';
import { describe, expect, test } from 'vitest';
import type { EngineDeps } from '../api.ts';
import { fault } from '../settle/outside.fixture.ts';
import { contextRow, ORIGIN, WORKSPACE } from '../settle/world.fixture.ts';
import { keptLabel, planWrite, writeNote } from './write.ts';

const HERE: AudienceTag = `ctx:${WORKSPACE}/${ORIGIN}`;
const ELSEWHERE: AudienceTag = `ctx:${WORKSPACE}/elsewhere`;
const CONTEXT = contextRow(ORIGIN, 'ops-channel', 0);
const RUN = 'run_00000000000000000001' as Run['id']; // safe: alphabet of ids
const NOTE = 'notes/a.md';
const MEMORY = `contexts/${ORIGIN}/memory.md`;
const OWN = makeLabel(1, [HERE]);

interface Scene {
  /** The file, for each reading in turn; the last stays. */
  readonly read?: readonly (string | Error)[];
  /** Entries of a memory file that may not be seen here. */
  readonly hidden?: readonly string[];
  /** Earlier writes to this path in the log. */
  readonly log?: readonly { readonly run: string; readonly workspace?: string }[];
}

type Written = Parameters<WorkspaceFiles['write']>[0];

function scene({ read = [fault('missing')], hidden = [], log = [] }: Scene) {
  const written: Written[] = [];
  const inserted: string[] = [];
  let readings = 0;
  const files = {
    read: async (_workspace: unknown, path: string): Promise<LabelledFile> => {
      const text = read[Math.min(readings, read.length - 1)] ?? '';
      readings += 1;
      if (text instanceof Error) throw text;
      return { path, text, hash: sha256(text), label: makeLabel(0, [HERE]) };
    },
    readMemory: async () => [
      { text: '- seen', line: 1, label: OWN },
      ...hidden.map((text) => ({ text, line: 2, label: makeLabel(1, [ELSEWHERE]) })),
    ],
    write: async (input: Written) => {
      written.push(input);
      await input.also?.({ insert: async (table: string) => void inserted.push(table) } as never); // safe: as used here
      return { hash: sha256(input.text) };
    },
  };
  const audit = {
    tail: async () => log.map(({ run, workspace = WORKSPACE }) => ({ data: { run }, workspace })),
  };
  const clock = { nowMs: () => 5 };
  const ids = { make: () => 'id' };
  const deps = { files, audit, clock, ids, log: recordingLogger() } as unknown as EngineDeps; // safe: no more of it is used
  return { deps, written, inserted };
}

const note = (
  deps: EngineDeps,
  args: JsonObject,
  more: { path?: string; decision?: Decision; label?: Label } = {},
) =>
  writeNote(deps, {
    run: { id: RUN } as Run, // safe: no more of it is looked at
    context: CONTEXT,
    path: NOTE,
    args,
    label: OWN,
    decision: permit('x', 'y'),
    ...more,
  });

describe('the plan of a write', () => {
  const plan = (one: Scene, args: JsonObject, path = NOTE) => planWrite(scene(one).deps, CONTEXT, path, args);

  test.each<readonly [string, Scene, JsonObject, object]>([
    ['creates what is not there', {}, { mode: 'create', text: 'x' }, { text: 'x\n', expected: 'absent' }],
    ['creates an empty file', {}, { mode: 'create', text: '' }, { text: '', expected: 'absent' }],
    ['takes no text for an empty one', {}, { mode: 'create' }, { text: '', expected: 'absent' }],
    [
      'is fulfilled already',
      { read: ['x\n'] },
      { mode: 'create', text: 'x' },
      { text: 'x\n', expected: 'absent' },
    ],
    [
      'replaces',
      { read: ['old\n'] },
      { mode: 'replace', text: 'x' },
      { text: 'x\n', expected: sha256('old\n') },
    ],
    [
      'appends',
      { read: ['old'] },
      { mode: 'append', text: 'x' },
      { text: 'old\nx\n', expected: sha256('old') },
    ],
    ['appends to nothing', {}, { mode: 'append', text: 'x' }, { text: 'x\n', expected: 'absent' }],
    ['takes 400000 characters', {}, { mode: 'create', text: 'x'.repeat(399_999) }, { expected: 'absent' }],
  ])('%s', async (_name, one, args, expected) => {
    expect(await plan(one, args)).toMatchObject({ path: NOTE, ...expected });
  });

  test.each<readonly [string, Scene, JsonObject, string]>([
    ['create', { read: ['old\n'] }, { mode: 'create', text: 'x' }, 'exists already'],
    ['replace', {}, { mode: 'replace', text: 'x' }, 'does not exist'],
    ['grow on', {}, { mode: 'create', text: 'x'.repeat(400_000) }, 'would grow beyond'],
  ])('does not %s', async (_name, one, args, words) => {
    await expect(plan(one, args)).rejects.toMatchObject({
      code: 'tool.write.invalid',
      message: expect.stringContaining(words),
    });
  });

  test.each([MEMORY, 'memory.md'])('never shows hidden entries of %s to who answers', async (path) => {
    const one = { read: ['- seen\n- hidden\n'], hidden: ['- hidden'] };
    for (const mode of ['append', 'replace', 'create'])
      await expect(plan(one, { mode, text: '- x' }, path)).rejects.toThrow('more than may be shown here');
    expect(await plan({ read: ['- seen\n'] }, { mode: 'append', text: '- x' }, path)).toMatchObject({
      text: '- seen\n- x\n',
    });
  });

  test('takes a memory that is not there for nothing, and no other fault', async () => {
    const args = { mode: 'append', text: '- x' };
    expect(await plan({}, args, MEMORY)).toMatchObject({ text: '- x\n', expected: 'absent' });
    for (const thrown of [fault('denied'), Object.assign(new Error('x'), { kind: 'missing' })])
      await expect(plan({ read: [fault('missing'), thrown] }, args, MEMORY)).rejects.toBe(thrown);
  });

  test('is refused where a guard refuses the path, and not for another reason', async () => {
    const args = { mode: 'create', text: 'x' };
    const denied = fault('denied');
    await expect(plan({ read: [denied] }, args)).rejects.toBe(denied);
    for (const thrown of [fault('invalid'), Object.assign(new Error('x'), { kind: 'denied' })])
      expect(await plan({ read: [fault('missing'), thrown] }, args)).toMatchObject({ expected: 'absent' });
  });
});

test('an append keeps the label of the old words, except in memory, whose entries have their own', async () => {
  const { deps } = scene({ read: ['old\n'] });
  const kept = (path: string, mode: string) => keptLabel(deps, CONTEXT, path, { mode });
  expect(await kept(NOTE, 'append')).toEqual(makeLabel(0, [HERE]));
  expect(await kept(NOTE, 'replace')).toBeUndefined();
  expect(await kept(MEMORY, 'append')).toBeUndefined();
  expect(await kept('memory.md', 'append')).toBeUndefined();
  expect(await kept('memory.md', 'replace')).toBeUndefined();
});

describe('a note', () => {
  const approval = {
    kind: 'approval',
    tier: 'low',
    approverRole: 'operator',
    needed: 1,
    releasers: [],
  } as const;
  const stored = { kind: 'store-label', label: makeLabel(0, [HERE]) } as const;

  test('that needs an approval is not written here', async () => {
    const { deps, written } = scene({});
    const decision = permit('x', 'y', approval);
    await expect(note(deps, { mode: 'create', text: 'x' }, { decision })).rejects.toMatchObject({
      code: 'tool.write.bug',
    });
    expect(written).toEqual([]);
  });

  test('has the label that policy wants, else that of its words', async () => {
    for (const [decision, label] of [
      [permit('x', 'y', { kind: 'guest' }, stored), stored.label],
      [permit('x', 'y'), OWN],
    ] as const) {
      const { deps, written } = scene({});
      await note(deps, { mode: 'create', text: 'x' }, { decision });
      expect(written).toMatchObject([{ label, text: 'x\n', audit: { data: { run: RUN, bytes: 2 } } }]);
    }
  });

  test('can be taken back where it is memory, and only there', async () => {
    const memory = scene({});
    await note(memory.deps, { mode: 'append', text: '- x' }, { path: MEMORY });
    expect(memory.inserted).toEqual(['memory_change']);
    const plain = scene({});
    await note(plain.deps, { mode: 'append', text: 'x' });
    expect(plain.inserted).toEqual([]);
  });

  const other = { run: 'run_00000000000000000002' };
  test.each<readonly [string, Scene, JsonObject]>([
    ['by this run', { read: ['old\nx\n'], log: [other, { run: RUN }] }, { mode: 'append', text: 'x' }],
    ['with its line break', { read: ['x\n'], log: [{ run: RUN }] }, { mode: 'append', text: 'x\n' }],
  ])('that was appended %s before a crash is not appended again', async (_name, one, args) => {
    const { deps, written } = scene(one);
    expect((await note(deps, args)).text).toBe(`Wrote ${NOTE}.`);
    expect(written).toEqual([]);
  });

  test.each<readonly [string, Scene]>([
    ['another run wrote it', { read: ['x\n'], log: [other] }],
    ['it was another workspace', { read: ['x\n'], log: [{ run: RUN, workspace: 'other' }] }],
    ['the file ends otherwise', { read: ['x\ny\n'], log: [{ run: RUN }] }],
    ['the file is gone', { log: [{ run: RUN }] }],
  ])('is appended where %s', async (_name, one) => {
    const { deps, written } = scene(one);
    await note(deps, { mode: 'append', text: 'x' });
    expect(written).toHaveLength(1);
    expect(written[0]?.text.endsWith('x\n')).toBe(true);
  });

  test('that is created over another is refused, although the run wrote there before', async () => {
    const { deps, written } = scene({ read: ['old\nx\n'], log: [{ run: RUN }] });
    await expect(note(deps, { mode: 'create', text: 'x' })).rejects.toThrow('exists already');
    expect(written).toEqual([]);
  });
});
