import { truncateSync } from 'node:fs';
import { makeLabel, privTag, type Workspace } from '@agent-runtime/domain';
import { seededIds } from '@agent-runtime/testkit';
import { describe, expect, test } from 'vitest';
import {
  contextRow,
  conversationRow,
  GENERAL,
  messageRow,
  openWorld,
  STAFF,
  W,
  type World,
} from '../../bench/file-fixtures.ts';
import { codeOf, draft } from '../../bench/fixtures.ts';
import { makeProjector } from '../projector/index.ts';
import { setupData } from '../setup/index.ts';
import { rebuild } from './index.ts';

/** A fresh database over the Markdown that `edits` left, set up but not yet rebuilt. */
async function setUp(edits: Readonly<Record<string, string>>, workspace: Partial<Workspace> = {}) {
  const world = await openWorld({ workspace });
  for (const [path, text] of Object.entries(edits)) world.edit(path, text);
  const { store, files, clock, log, root: workspacesDir } = world;
  await setupData({
    store,
    files,
    clock,
    ids: seededIds(),
    log,
    workspacesDir,
    exampleDir: undefined,
    ownerName: 'owner',
  });
  return world;
}

function inputOf({ store, clock, log, root, projectorKey: macKey }: World) {
  return { store, clock, log, root, macKey };
}

const ownerOf = async (world: World) => (await world.store.read.get('workspace', { id: W }))?.owner ?? 'none';

describe('labels after a rebuild', () => {
  test('what a model may write without a human is outside text again, a note is the owner’s alone', async () => {
    const notes = ['notes/plan.md', 'research/prices.md', 'NOTES/loud.md', 'email/inbox/1.md'];
    const memories = ['memory.md', 'contexts/memory-general/memory.md', 'contexts/other/memory/day.md'];
    const world = await setUp(
      Object.fromEntries([...notes, ...memories].map((path) => [path, `- said in ${path}\n`])),
    );
    expect((await world.files.read(W, 'notes/plan.md')).label).toEqual(STAFF);
    expect((await rebuild(inputOf(world))).files).toBe(7);
    const owner = privTag((await ownerOf(world)) as never);
    for (const path of notes)
      expect((await world.files.read(W, path)).label).toEqual(makeLabel(0, [`ws:${W}`, owner]));
    for (const path of memories) {
      expect((await world.files.read(W, path)).label.integrity).toBe(0);
      expect((await world.files.readMemory(W, path)).map(({ label }) => label.integrity)).toEqual([0]);
    }
    expect((await world.files.read(W, 'contexts/memory-general/memory.md')).label.audience).toEqual([
      `ctx:${W}/${GENERAL}`,
    ]);
  });

  test('they stay low under another name, and rise by an approval of their bytes', async () => {
    const world = await setUp({ 'notes/plan.md': 'obey\n' });
    await rebuild(inputOf(world));
    world.edit('handbook.md', 'obey\n');
    expect((await world.files.read(W, 'handbook.md')).label.integrity).toBe(0);
    const { hash } = await world.files.read(W, 'notes/plan.md');
    await world.files.write({
      workspace: W,
      path: 'notes/plan.md',
      text: 'obey\n',
      label: STAFF,
      expected: hash,
      isRaised: true,
      audit: draft('label.approve'),
    });
    expect((await world.files.read(W, 'notes/plan.md')).label).toEqual(STAFF);
  });

  test('what changes only by staff or an approved diff is staff’s, published where it says so', async () => {
    const world = await setUp({
      'AGENTS.md': 'Be kind.\n',
      'handbook.md': 'x\n',
      'faq.md': '---\naudience: public\n---\nx\n',
    });
    expect((await rebuild(inputOf(world))).files).toBe(0);
    expect((await world.files.read(W, 'AGENTS.md')).label).toEqual(STAFF);
    expect((await world.files.read(W, 'handbook.md')).label).toEqual(STAFF);
    expect((await world.files.read(W, 'faq.md')).label).toEqual(makeLabel(2, []));
  });

  test('where edits by hand need a review, nothing counts before it', async () => {
    const world = await setUp({
      'workspace.md': '---\noutside_edits: review\n---\n',
      'AGENTS.md': 'Planted while the database was lost.\n',
      'contexts/memory-general/context.md': '---\nkind: closed\n---\n',
    });
    // What the files say of the place itself is known, else nobody could look at it.
    expect((await world.store.read.get('context', { id: GENERAL }))?.openness).toBe('closed');
    await rebuild(inputOf(world));
    expect((await world.files.read(W, 'AGENTS.md')).label.integrity).toBe(0);
    expect(await world.files.readControl(W, 'AGENTS.md')).toBeUndefined();
  });
});

describe('a rebuild', () => {
  test('closes the gate before the first row', async () => {
    const world = await setUp({});
    const commits: string[] = [];
    const store = {
      ...world.store,
      read: world.store.read,
      commit: ((audit, body) => {
        commits.push(Array.isArray(audit) ? '' : (audit as { action: string }).action);
        return world.store.commit(audit, body);
      }) as typeof world.store.commit,
    };
    await rebuild({ ...inputOf(world), store });
    expect(commits[0]).toBe('gate.close');
    expect(await world.store.read.get('gate_state', { id: 'gate' })).toMatchObject({ isClosed: true });
  });

  test('of two histories that share numbers keeps both, in order', async () => {
    const old = await openWorld();
    await old.insert('context', contextRow());
    await old.insert('context_conversation', conversationRow());
    const project = async (world: World, ...messages: readonly ReturnType<typeof messageRow>[]) => {
      await world.insert('context_message', ...messages);
      await makeProjector({
        read: world.store.read,
        audit: world.audit,
        root: old.root,
        cursorFile: `${world.paths.appliance}/projector.json`,
        macKey: old.projectorKey,
        crash: { reach: () => undefined },
        log: world.log,
      }).run();
    };
    await project(old, messageRow(1), messageRow(2));
    const restored = await openWorld();
    await restored.insert('context', contextRow());
    await restored.insert('context_conversation', conversationRow());
    await project(restored, messageRow(2, { id: 'mesg_other000' as never, at: Date.UTC(2026, 10, 22) }));

    const fresh = await setUp({});
    await rebuild({ ...inputOf(fresh), root: old.root });
    const rows = await fresh.store.read.find('context_message', {}, { orderBy: 'seq' });
    expect(rows.map(({ id, seq }) => [id, seq])).toEqual([
      ['mesg_00000001', 1],
      ['mesg_00000002', 2],
      ['mesg_other000', 3],
    ]);
    expect(await fresh.store.commit(draft('ingest.accept'), (tx) => tx.next('message'))).toBe(4);
  });

  test('names a record file that is too large to be one, and goes on', async () => {
    const world = await setUp({ 'logs/memory/general/2026-11.md': 'x\n' });
    truncateSync(world.fullPath('logs/memory/general/2026-11.md'), 256 * 1024 * 1024 + 1);
    expect((await rebuild(inputOf(world))).flagged).toEqual([
      'garden/logs/memory/general/2026-11.md: it cannot be read',
    ]);
  });

  test('into a database that holds messages is refused, and changes nothing', async () => {
    const world = await setUp({});
    await world.insert('context_conversation', conversationRow());
    await world.insert('context_message', messageRow(1));
    expect(await codeOf(rebuild(inputOf(world)))).toBe('rebuild.database.conflict');
    expect(await world.store.read.get('gate_state', { id: 'gate' })).toBeUndefined();
  });
});
