import {
  type Effect,
  type EffectId,
  type LabelledFile,
  makeLabel,
  sha256,
  wsTag,
} from '@agent-runtime/domain';
import { describe, expect, test } from 'vitest';
import { fault } from '../settle/outside.fixture.ts';
import { contextRow, HERE_LABEL, MEMBER, ORIGIN, person, WORKSPACE } from '../settle/world.fixture.ts';
import { audienceOnceApproved, opensToWorkspace } from './audience.ts';
import { countsOf, fileChange } from './change.ts';
import { makeEffect } from './index.ts';

const PATH = 'notes/a.md';
const BEFORE = 'a\nb\n';

function write(expected: 'absent' | ReturnType<typeof sha256>): Effect {
  return makeEffect(
    { kind: 'write', path: PATH, text: 'b\nc\n', expected },
    {
      id: 'efct_00000000000000000000' as EffectId, // safe: alphabet of ids
      nowMs: 0,
      context: contextRow(ORIGIN, 'ops-channel', 0),
      requester: person(MEMBER),
      label: HERE_LABEL,
    },
  );
}

const holding = (text: string) => ({
  read: async (_workspace: unknown, path: string): Promise<LabelledFile> => ({
    path,
    text,
    hash: sha256(text),
    label: makeLabel(2),
  }),
});
const failing = (thrown: unknown) => ({ read: () => Promise.reject(thrown) });
const nothing = failing(fault('missing'));

describe('what a write changes', () => {
  test('is told against the file that it was proposed for', async () => {
    const effect = write(sha256(BEFORE));
    const change = await fileChange(holding(BEFORE), effect);
    expect(change).toMatchObject({ kind: 'diff', before: { text: BEFORE } });
    expect(await countsOf(holding(BEFORE), effect)).toBe('+1 -1 lines');
  });

  test('of a file that was not there is all new, and the card does not say whether there is one by now', async () => {
    expect(await fileChange(nothing, write('absent'))).toMatchObject({ kind: 'diff', before: undefined });
    for (const files of [nothing, holding(BEFORE), failing(fault('denied'))])
      expect(await countsOf(files, write('absent'))).toBe('+2 -0 lines');
  });

  test.each([
    ['another text', holding('other'), sha256(BEFORE)],
    ['nothing any more', nothing, sha256(BEFORE)],
    ['a file where none was', holding(BEFORE), 'absent'],
    ['what cannot be read', failing(fault('denied')), 'absent'],
    ['what cannot be read, whatever was there', failing(fault('denied')), sha256(BEFORE)],
  ] as const)('is not told where there is %s', async (_name, files, expected) => {
    expect(await fileChange(files, write(expected))).toEqual({ kind: 'changed' });
    if (expected !== 'absent') expect(await countsOf(files, write(expected))).toBeUndefined();
  });

  test('is nothing for what writes no file', async () => {
    const effect = write('absent');
    for (const other of [
      { ...effect, kind: 'message.post' },
      { ...effect, payloads: [] },
      { ...effect, payloads: [{ path: 5, text: 'x', expected: 'absent' }] },
      { ...effect, payloads: [{ path: PATH, text: 5, expected: 'absent' }] },
    ])
      expect(await fileChange(nothing, other)).toBeUndefined();
  });

  test('a fault that is no answer of the files is not taken for one', async () => {
    const thrown = Object.assign(new Error('x'), { kind: 'missing' });
    await expect(fileChange(failing(thrown), write('absent'))).rejects.toBe(thrown);
  });
});

describe('who may read it once approved', () => {
  const WS = wsTag(WORKSPACE);
  const own = HERE_LABEL.audience;
  const reach = (path: string, audience = own) => ({ path, workspace: WORKSPACE, context: ORIGIN, audience });

  test('notes and the memory of a context keep their readers, public words stay public', () => {
    for (const path of [PATH, 'contexts/ops/memory.md']) {
      expect(audienceOnceApproved(reach(path))).toEqual(own);
      expect(opensToWorkspace(reach(path))).toBe(false);
    }
    expect(audienceOnceApproved(reach('AGENTS.md', []))).toEqual([]);
  });

  test.each(['memory.md', 'AGENTS.md', 'handbook.md'])('%s opens to the workspace, and says so', (path) => {
    expect(audienceOnceApproved(reach(path))).toEqual([WS]);
    expect(opensToWorkspace(reach(path))).toBe(true);
    expect(opensToWorkspace(reach(path, [WS, ...own]))).toBe(true);
    // Everybody there could read it before.
    expect(opensToWorkspace(reach(path, [WS]))).toBe(false);
  });
});
