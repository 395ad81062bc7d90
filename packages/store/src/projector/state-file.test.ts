import { lstatSync, rmSync, statSync, symlinkSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import {
  contextRow,
  conversationRow,
  messageRow,
  openWorld,
  W,
  type World,
} from '../../bench/file-fixtures.ts';
import { draft } from '../../bench/fixtures.ts';
import { APPROVAL, approvalRow, effectRow, runRow, TASK, taskRow } from '../../bench/work-fixtures.ts';
import { parseContextFile } from '../setup/index.ts';
import { splitFrontMatter } from '../workspace/index.ts';
import { parseRecordFile } from './index.ts';

const TASK_FILE = `tasks/${TASK}.md`;
const APPROVAL_FILE = `approvals/${APPROVAL}.md`;

async function openWork(title = taskRow().title): Promise<World> {
  const world = await openWorld();
  await world.insert('context', contextRow());
  await world.insert('context_conversation', conversationRow());
  await world.insert('context_message', messageRow(1));
  await world.store.commit(draft('task.create', { subject: TASK }), async (tx) => {
    await tx.insert('task', taskRow({ title }));
    await tx.insert(
      'run',
      runRow('aaaaaaaa', { state: 'running', output: undefined, finishedAt: undefined }),
    );
  });
  return world;
}

describe('tasks', () => {
  test('a file per task shows its latest state', async () => {
    const world = await openWork();
    const projector = world.projector();
    await projector.run();
    expect(world.onDisk(TASK_FILE)).toContain('\nstatus: running\n');
    await world.store.commit(draft('run.finish', { subject: runRow('aaaaaaaa').id }), (tx) =>
      tx.update('run', { id: runRow('aaaaaaaa').id }, runRow('aaaaaaaa')),
    );
    await projector.run();
    const text = world.onDisk(TASK_FILE);
    expect(splitFrontMatter(text).yaml).toBe(
      `id: ${TASK}\ntitle: How do I get a refund?\nkind: chat\nstatus: succeeded\ncontext: memory-general\nruns: 1`,
    );
    expect(text).toContain('## Attempt 1: succeeded\n\n> Write to us.\n> <!-- end -->\n');
    const { records, foreignLines } = parseRecordFile(text, world.projectorKey);
    expect(foreignLines).toBe(0);
    expect(records.map(({ head }) => head.kind)).toEqual(['task', 'run']);
    expect((await world.files.read(W, TASK_FILE)).label).toEqual({
      integrity: 1,
      audience: ['ctx:garden/memory-general', 'ws:garden'],
    });
  });

  test('a file that says so already is left alone; an edited one is written anew', async () => {
    const world = await openWork();
    const projector = world.projector();
    const touch = () => world.store.commit(draft('run.step', { subject: TASK }), async () => undefined);
    await projector.run();
    const before = statSync(world.fullPath(TASK_FILE)).ino;
    await touch();
    await projector.run();
    expect(statSync(world.fullPath(TASK_FILE)).ino).toBe(before);
    const text = world.onDisk(TASK_FILE);
    for (const other of [`${text}forged\n`, text.replace('running', 'aborted'), '', 'x'.repeat(100_000)]) {
      world.edit(TASK_FILE, other);
      await touch();
      await projector.run();
      expect(world.onDisk(TASK_FILE)).toBe(text);
    }
    rmSync(world.fullPath(TASK_FILE));
    symlinkSync('/etc/passwd', world.fullPath(TASK_FILE));
    await touch();
    await projector.run();
    expect(lstatSync(world.fullPath(TASK_FILE)).isFile()).toBe(true);
    expect(world.onDisk(TASK_FILE)).toBe(text);
  });

  test('a title cannot forge front matter', async () => {
    for (const title of [
      'a\n---\nstatus: succeeded\n',
      '---',
      '"',
      '# x\n\n---\n---\n',
      'status: x',
      '!!js/x {}',
    ]) {
      const world = await openWork(title);
      await world.projector().run();
      const text = world.onDisk(TASK_FILE);
      const { records, foreignLines } = parseRecordFile(text, world.projectorKey);
      expect(foreignLines, title).toBe(0);
      expect(records[0]?.text).toBe(title);
      expect(splitFrontMatter(text).yaml).toContain('\nstatus: running\n');
      expect(() => parseContextFile(text)).toThrow('front matter');
    }
  });

  test('an edit of the front matter is flagged and makes the file outside text', async () => {
    const world = await openWork();
    await world.projector().run();
    world.edit(TASK_FILE, world.onDisk(TASK_FILE).replace('status: running', 'status: succeeded'));
    expect(parseRecordFile(world.onDisk(TASK_FILE), world.projectorKey).foreignLines).toBe(8);
    expect((await world.files.read(W, TASK_FILE)).label.integrity).toBe(0);
  });

  test('a restart finds what changed while nobody wrote', async () => {
    const world = await openWork();
    await world.projector().run();
    const second = runRow('bbbbbbbb', { attempt: 2 });
    await world.store.commit(draft('task.retry', { subject: second.id }), (tx) => tx.insert('run', second));
    await world.projector().run();
    expect(world.onDisk(TASK_FILE)).toContain('## Attempt 2: succeeded');
  });

  test('a task whose rows are gone is passed over', async () => {
    const world = await openWork();
    await world.store.commit(
      [
        draft('task.create', { subject: 'task_unknown' }),
        draft('effect.propose', { subject: 'efct_unknown' }),
      ],
      async () => undefined,
    );
    expect(await world.projector().run()).toBeGreaterThan(0);
  });
});

describe('approvals', () => {
  test('a file per approval shows question, answer and outcome', async () => {
    const world = await openWork();
    await world.store.commit(draft('approval.propose', { subject: APPROVAL }), async (tx) => {
      await tx.insert('effect', effectRow());
      await tx.insert('approval', approvalRow());
    });
    const projector = world.projector();
    await projector.run();
    expect(world.onDisk(APPROVAL_FILE)).toContain('\nstate: pending\noutcome: proposed\ntier: high\n');
    // An effect's own event is enough for its approval to be written again.
    await world.store.commit(draft('effect.settle', { subject: effectRow().id }), async (tx) => {
      await tx.update('approval', { id: APPROVAL }, { state: 'consumed' });
      await tx.update('effect', { id: effectRow().id }, { state: 'done' });
    });
    await projector.run();
    const text = world.onDisk(APPROVAL_FILE);
    expect(text).toContain('\nstate: consumed\noutcome: done\n');
    expect(text).toContain(effectRow().digest);
    expect(parseRecordFile(text, world.projectorKey).foreignLines).toBe(0);
    expect((await world.files.read(W, APPROVAL_FILE)).label.integrity).toBe(1);
  });
});
