import { mkdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { type CrashPoints, makeLabel, sha256, type WorkspaceFiles } from '@agent-runtime/domain';
import { makeWorkspaceFiles } from '@agent-runtime/store';
import { Crash, recordingLogger } from '@agent-runtime/testkit';
import { describe, expect, test } from 'vitest';
import { approve } from '../approval/index.ts';
import {
  BOSS,
  ORIGIN,
  proposeWrite,
  runOutbox,
  signed,
  useWorld,
  WORKSPACE,
  type World,
} from './world.fixture.ts';

const at = useWorld();

/** The real files of the store, in the folder of this test. */
function realFiles(world: World, crash: CrashPoints = { reach: () => {} }): WorkspaceFiles {
  mkdirSync(join(world.opened.paths.workspaces, WORKSPACE), { recursive: true });
  return makeWorkspaceFiles({
    root: world.opened.paths.workspaces,
    goodFolder: join(world.opened.paths.workspaces, '..', 'good'),
    macKey: world.opened.projectorKey,
    store: world.deps.store,
    clock: world.clock,
    crash,
    log: recordingLogger(),
  });
}

const onDisk = (world: World, path: string) => join(world.opened.paths.workspaces, WORKSPACE, path);

async function ready(world: World, path: string, text: string, expected?: `sha256:${string}`) {
  const { effect, approval } = await proposeWrite(world, path, text, expected);
  await approve(world.deps, approval.id, effect.digest, signed(BOSS));
  return effect.id;
}

describe('an approved change, on real files', () => {
  test('is on the disk with staff’s label, and done', async () => {
    const { world } = at;
    const files = realFiles(world);
    const id = await ready(world, 'AGENTS.md', 'rules');
    await runOutbox({ ...world, deps: { ...world.deps, files } });
    expect(readFileSync(onDisk(world, 'AGENTS.md'), 'utf8')).toBe('rules');
    expect((await files.read(WORKSPACE, 'AGENTS.md')).label).toEqual(makeLabel(2, [`ws:${WORKSPACE}`]));
    expect((await world.effect(id)).state).toBe('done');
  });

  test.each([
    ['memory.md', 1, `ws:${WORKSPACE}`],
    ['handbook.md', 2, `ws:${WORKSPACE}`],
    [`contexts/${ORIGIN}/context.md`, 2, `ctx:${WORKSPACE}/${ORIGIN}`],
  ] as const)(
    'of %s belongs to the place of the file, not to the context that asked',
    async (path, integrity, tag) => {
      const { world } = at;
      const files = realFiles(world);
      const { effect, approval } = await proposeWrite(world, path, '- we open at nine\n');
      await approve(world.deps, approval.id, effect.digest, signed(BOSS));
      await runOutbox({ ...world, deps: { ...world.deps, files } });
      expect((await files.read(WORKSPACE, path)).label).toEqual(makeLabel(integrity, [tag]));
      expect(effect.summary.includes('readable in the whole workspace')).toBe(tag.startsWith('ws:'));
      const [card] = await world.deps.store.read.find('context_message', {
        context: ORIGIN,
        direction: 'out',
      });
      expect(card === undefined || card.text.includes(effect.summary)).toBe(true);
      if (path !== 'memory.md') return;
      const entries = await files.readMemory(WORKSPACE, path);
      expect(entries.map((entry) => entry.label)).toEqual([makeLabel(1, [tag])]);
    },
  );

  test('of public words stays public, and says nothing of the workspace', async () => {
    const { world } = at;
    const files = realFiles(world);
    const { effect, approval } = await proposeWrite(
      world,
      'faq.md',
      'open at nine',
      'absent',
      makeLabel(1, []),
    );
    await approve(world.deps, approval.id, effect.digest, signed(BOSS));
    await runOutbox({ ...world, deps: { ...world.deps, files } });
    expect((await files.read(WORKSPACE, 'faq.md')).label).toEqual(makeLabel(2, []));
    expect(effect.summary).not.toContain('workspace');
  });

  test('of words that are known as low is raised: the approver saw them', async () => {
    const { world } = at;
    const files = realFiles(world);
    await files.write({
      workspace: WORKSPACE,
      path: 'notes/web.md',
      text: 'from the web',
      label: makeLabel(0, [`ws:${WORKSPACE}`]),
      expected: 'absent',
      audit: { action: 'workspace.write', actor: 'appliance', subject: 'notes/web.md' },
    });
    await ready(world, 'handbook.md', 'from the web');
    await runOutbox({ ...world, deps: { ...world.deps, files } });
    expect((await files.read(WORKSPACE, 'handbook.md')).label.integrity).toBe(2);
  });

  test('of a file that became another is refused and writes nothing', async () => {
    const { world } = at;
    const files = realFiles(world);
    writeFileSync(onDisk(world, 'AGENTS.md'), 'old');
    const id = await ready(world, 'AGENTS.md', 'new', sha256('old'));
    writeFileSync(onDisk(world, 'AGENTS.md'), 'changed');
    await runOutbox({ ...world, deps: { ...world.deps, files } });
    expect((await world.effect(id)).error?.code).toBe('settle.file.rejected');
    expect(readFileSync(onDisk(world, 'AGENTS.md'), 'utf8')).toBe('changed');
  });

  test('that is refused says so without the name, for a model chose it', async () => {
    const { world } = at;
    const files = realFiles(world);
    const path = 'docs/words-of-a-model.md';
    const id = await ready(world, path, 'new');
    mkdirSync(dirname(onDisk(world, path)), { recursive: true });
    writeFileSync(onDisk(world, path), 'changed');
    await runOutbox({ ...world, deps: { ...world.deps, files } });
    expect((await world.effect(id)).state).toBe('rejected');
    const said = await world.deps.store.read.find('context_message', { direction: 'out' });
    const outcomes = said.filter((message) => message.text.includes('was refused'));
    expect(outcomes).toHaveLength(1);
    expect(outcomes.map((message) => message.text).join()).not.toContain('words-of-a-model');
  });

  test('through a link to the outside is refused, and what it points at stays', async () => {
    const { world } = at;
    const files = realFiles(world);
    const outside = join(world.opened.paths.workspaces, '..', 'outside.md');
    writeFileSync(outside, 'not yours');
    symlinkSync(outside, onDisk(world, 'AGENTS.md'));
    const id = await ready(world, 'AGENTS.md', 'rules', sha256('not yours'));
    await runOutbox({ ...world, deps: { ...world.deps, files } });
    expect((await world.effect(id)).state).toBe('rejected');
    expect(readFileSync(outside, 'utf8')).toBe('not yours');
  });

  test.each([1, 2, 3, 4, 5])('death number %i on the way to the disk ends in one whole file', async (nth) => {
    let reached = 0;
    const crash: CrashPoints = {
      reach: (point) => {
        reached += 1;
        if (reached >= nth) throw new Crash(point);
      },
    };
    const dying = realFiles(at.world, crash);
    const id = await ready(at.world, 'AGENTS.md', 'rules');
    // The dead process writes no outcome either.
    const deps = {
      ...at.world.deps,
      files: dying,
      crash: { reach: (point: string) => void (reached >= nth && crash.reach(point)) },
    };
    await runOutbox({ ...at.world, deps });
    const world = await at.restart();
    await runOutbox({ ...world, deps: { ...world.deps, files: realFiles(world) } });
    expect((await world.effect(id)).state).toBe('done');
    expect(readFileSync(onDisk(world, 'AGENTS.md'), 'utf8')).toBe('rules');
  });

  test('an error of the disk in the middle is no riddle: the file tells', async () => {
    const { world } = at;
    let isBroken = true;
    const real = realFiles(world);
    const files: WorkspaceFiles = {
      ...real,
      write: async (input) => {
        if (isBroken) throw new Error('EIO');
        return real.write(input);
      },
    };
    const id = await ready(world, 'AGENTS.md', 'rules');
    const outbox = await runOutbox({ ...world, deps: { ...world.deps, files } });
    expect((await world.effect(id)).state).toBe('approved');
    isBroken = false;
    await world.clock.advance(1_000);
    await outbox.idle();
    expect((await world.effect(id)).state).toBe('done');
    await outbox.drain(0);
  });
});
