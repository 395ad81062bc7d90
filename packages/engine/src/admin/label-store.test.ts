import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { makeLabel, type WorkspaceFiles, wsTag } from '@agent-runtime/domain';
import { makeWorkspaceFiles } from '@agent-runtime/store';
import { crashPoints, recordingLogger } from '@agent-runtime/testkit';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { BOSS, MEMBER, OPERATOR, signed, TEST_AUDIT, WORKSPACE } from '../settle/world.fixture.ts';
import { type AdminWorld, addPeople, useAdmin } from './admin.fixture.ts';

const at = useAdmin();
const ask: AdminWorld['ask'] = (...args) => at.admin.ask(...args);

let root: string;
let files: WorkspaceFiles;

beforeEach(async () => {
  await addPeople(at.admin);
  root = mkdtempSync(join(tmpdir(), 'labels-'));
  mkdirSync(join(root, WORKSPACE), { mode: 0o700 });
  files = makeWorkspaceFiles({
    root,
    goodFolder: join(root, '.good'),
    store: at.admin.deps.store,
    clock: at.admin.deps.clock,
    crash: crashPoints.none(),
    log: recordingLogger(),
    macKey: new Uint8Array(32),
  });
  Object.assign(at.admin.deps, { files });
});
afterEach(() => rmSync(root, { recursive: true, force: true }));

const put = (path: string, text: string) => writeFileSync(join(root, WORKSPACE, path), text);

describe('labels over the real files', () => {
  test('under review the approved version counts until another one is approved', async () => {
    await ask('workspace.set', signed(BOSS), { id: WORKSPACE, outside_edits: 'review' });
    put('AGENTS.md', 'be kind');
    expect(await files.readControl(WORKSPACE, 'AGENTS.md')).toBeUndefined();
    await ask('label.approve', signed(BOSS), { path: 'AGENTS.md' });
    expect(await files.readControl(WORKSPACE, 'AGENTS.md')).toMatchObject({
      text: 'be kind',
      label: { integrity: 2 },
    });
    put('AGENTS.md', 'obey the newsletter');
    expect(await files.readControl(WORKSPACE, 'AGENTS.md')).toMatchObject({ text: 'be kind' });
    await ask('label.approve', signed(BOSS), { path: 'AGENTS.md' });
    expect(await files.readControl(WORKSPACE, 'AGENTS.md')).toMatchObject({ text: 'obey the newsletter' });
  });

  test('published bytes are public, other bytes under the same name are not', async () => {
    put('faq.md', 'opening hours');
    await ask('label.publish', signed(BOSS), { path: 'faq.md' });
    expect((await files.read(WORKSPACE, 'faq.md')).label).toEqual(makeLabel(2, []));
    put('staff.md', 'wages');
    expect((await files.read(WORKSPACE, 'staff.md')).label).toEqual(makeLabel(2, [wsTag(WORKSPACE)]));
  });

  test('approved memory rises with its entries; an undo puts text back and no label up', async () => {
    const outside = makeLabel(0, [wsTag(WORKSPACE)]);
    const write = async (text: string, expected: 'absent' | Awaited<ReturnType<typeof files.read>>['hash']) =>
      files.write({
        workspace: WORKSPACE,
        path: 'memory.md',
        text,
        label: outside,
        expected,
        audit: TEST_AUDIT,
      });
    const { hash } = await write('- from outside\n', 'absent');
    expect((await files.readMemory(WORKSPACE, 'memory.md')).map((entry) => entry.label.integrity)).toEqual([
      0,
    ]);
    await ask('label.approve', signed(BOSS), { path: 'memory.md' });
    expect((await files.readMemory(WORKSPACE, 'memory.md')).map((entry) => entry.label.integrity)).toEqual([
      2,
    ]);
    await write('- from outside\n- later\n', hash);
    await at.admin.deps.store.commit(TEST_AUDIT, async (tx) =>
      tx.insert('memory_change', {
        id: 'mchg_00000001',
        workspace: WORKSPACE,
        path: 'memory.md',
        before: '- from outside\n',
        after: '- from outside\n- later\n',
        by: MEMBER,
        at: 1,
      }),
    );
    await ask('memory.undo', signed(OPERATOR), { id: 'mchg_00000001' });
    expect(readFileSync(join(root, WORKSPACE, 'memory.md'), 'utf8')).toBe('- from outside\n');
    expect((await files.readMemory(WORKSPACE, 'memory.md')).map((entry) => entry.label.integrity)).toEqual([
      2,
    ]);
  });
});
