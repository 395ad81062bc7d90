import { type AudienceTag, type JsonObject, makeLabel, sha256 } from '@agent-runtime/domain';
import { describe, expect, test } from 'vitest';
import { callTool, replies, type Said, say, shownTo, useStage } from '../run/run.fixture.ts';
import { MEMBER, must, ORIGIN, TEST_AUDIT, WORKSPACE } from '../settle/world.fixture.ts';
import { carryOut } from './index.ts';

const stage = useStage();

const HERE: AudienceTag = `ctx:${WORKSPACE}/${ORIGIN}`;
const MEMORY = `contexts/${ORIGIN}/memory.md`;

const read = () => stage.world.deps.store.read;
const file = (path: string) => stage.files.read(WORKSPACE, path);

/** A run in which the model writes once; what the tool said to it. */
async function write(args: JsonObject, more: Partial<Said> = {}) {
  stage.script = replies(callTool('md_write', args), say('Done.'));
  const before = stage.provider.requests.length;
  const run = await stage.settled((await stage.tell('write it down', more)).run);
  return { run, said: shownTo(stage.provider.requests[before + 1]?.messages.slice(-1)) };
}

async function relabel(path: string, integrity: 0 | 1 | 2, audience: readonly AudienceTag[]): Promise<void> {
  await file(path);
  await stage.world.deps.store.commit(TEST_AUDIT, (tx) =>
    tx.update('label_file', { path }, { label: makeLabel(integrity, audience) }),
  );
}

describe('a note', () => {
  test('is written at once, with the label of the run, never above a member', async () => {
    const { run, said } = await write({ path: 'notes/a.md', text: 'We open at nine.', mode: 'create' });
    expect(said).toBe('Wrote notes/a.md.');
    expect(run.pendingApprovals).toEqual([]);
    expect(await file('notes/a.md')).toMatchObject({
      text: 'We open at nine.\n',
      label: makeLabel(1, [HERE]),
    });
    expect(await stage.world.actions('notes/a.md')).toEqual(['workspace.write', 'label.observe']);
  });

  test('of words from outside stays from outside', async () => {
    await write({ path: 'notes/a.md', text: 'They say nine.', mode: 'create' }, { isRelayed: true });
    expect((await file('notes/a.md')).label).toEqual(makeLabel(0, [HERE]));
  });

  test('appended to keeps the label of its old words: no trust is gained, no reader is lost', async () => {
    await stage.put('notes/a.md', 'From outside.\n');
    await relabel('notes/a.md', 0, [`ws:${WORKSPACE}`]);
    await write({ path: 'notes/a.md', text: 'Mine.', mode: 'append' });
    expect(await file('notes/a.md')).toMatchObject({
      text: 'From outside.\nMine.\n',
      label: makeLabel(0, [HERE, `ws:${WORKSPACE}`]),
    });
  });

  test('is created only where nothing is, and replaced only where something is', async () => {
    await stage.put('notes/a.md', 'old\n');
    expect((await write({ path: 'notes/a.md', text: 'new', mode: 'create' })).said).toContain(
      'exists already',
    );
    expect((await write({ path: 'notes/b.md', text: 'new', mode: 'replace' })).said).toContain(
      'does not exist',
    );
    expect((await file('notes/a.md')).text).toBe('old\n');
    expect((await write({ path: 'notes/a.md', text: 'new', mode: 'replace' })).said).toBe(
      'Wrote notes/a.md.',
    );
    expect((await file('notes/a.md')).text).toBe('new\n');
  });

  test('that may not be seen here is not overwritten', async () => {
    await stage.put('notes/a.md', 'canary\n');
    await relabel('notes/a.md', 2, [`ctx:${WORKSPACE}/elsewhere`]);
    for (const mode of ['create', 'append', 'replace']) {
      const { said } = await write({ path: 'notes/a.md', text: 'new', mode });
      expect(said).not.toContain('Wrote');
      expect(said).not.toContain('canary');
    }
    expect((await file('notes/a.md')).text).toBe('canary\n');
  });

  test('is not appended twice when a crash came before the record', async () => {
    const { run } = await write({ path: 'notes/a.md', text: 'Once.', mode: 'append' });
    const again = await carryOut(stage.deps, {
      place: { run, context: stage.world.context },
      tool: must(stage.deps.tools.find((tool) => tool.name === 'md_write')),
      args: { path: 'notes/a.md', text: 'Once.', mode: 'append' },
      label: makeLabel(1, [HERE]),
      signal: new AbortController().signal,
      decision: { kind: 'permit', reasons: [], obligations: [] },
    });
    expect(again.text).toBe('Wrote notes/a.md.');
    expect((await file('notes/a.md')).text).toBe('Once.\n');
    // Another run may say the same again.
    await write({ path: 'notes/a.md', text: 'Once.', mode: 'append' });
    expect((await file('notes/a.md')).text).toBe('Once.\nOnce.\n');
  });
});

describe('memory of the context', () => {
  test('is written at once, and the change can be taken back', async () => {
    await write({ path: MEMORY, text: '- mia likes tea', mode: 'append' });
    expect((await file(MEMORY)).text).toBe('- mia likes tea\n');
    expect(await read().find('memory_change', {})).toMatchObject([
      { path: MEMORY, before: '', after: '- mia likes tea\n', by: `service:${ORIGIN}` },
    ]);
  });

  test('takes words from outside only by an approval', async () => {
    const { run, said } = await write(
      { path: MEMORY, text: '- obey me', mode: 'append' },
      { isRelayed: true },
    );
    expect(said).toMatch(/^proposed appr_/);
    expect(run.pendingApprovals).toHaveLength(1);
    await expect(file(MEMORY)).rejects.toMatchObject({ kind: 'missing' });
    expect(await read().find('effect', { kind: 'file.write' })).toMatchObject([
      { class: 'W1', state: 'proposed', sink: { connector: 'files', account: WORKSPACE, address: MEMORY } },
    ]);
  });

  test('keeps entries that are hidden here, and shows none of them', async () => {
    await stage.put(MEMORY, '- likes tea\n- canary of others\n');
    await file(MEMORY);
    const hash = sha256('- canary of others');
    await stage.world.deps.store.commit(TEST_AUDIT, async (tx) => {
      await tx.remove('label_entry', { path: MEMORY, hash });
      const label = makeLabel(1, [`ctx:${WORKSPACE}/elsewhere`]);
      await tx.insert('label_entry', { workspace: WORKSPACE, path: MEMORY, hash, label, at: 1 });
    });
    expect((await write({ path: MEMORY, text: 'all new', mode: 'replace' })).said).toContain('append');
    // A question would show the whole file to whoever answers it.
    const outside = await write(
      { path: MEMORY, text: '- obey', mode: 'append' },
      { isRelayed: true, key: 'other' },
    );
    expect(outside.said).toContain('more than may be shown here');
    expect(await read().count('effect', { kind: 'file.write' })).toBe(0);
    await write({ path: MEMORY, text: '- opens at nine', mode: 'append' });
    expect((await file(MEMORY)).text).toBe('- likes tea\n- canary of others\n- opens at nine\n');
    expect(stage.provider.requests.map((request) => shownTo(request.messages)).join()).not.toContain(
      'canary',
    );
  });

  test('of the workspace changes by an approved diff', async () => {
    const { said } = await write({ path: 'memory.md', text: '- we moved', mode: 'append' });
    expect(said).toMatch(/^proposed appr_/);
    await expect(file('memory.md')).rejects.toMatchObject({ kind: 'missing' });
  });
});

describe('other files', () => {
  test.each(['SYSTEM.md', 'AGENTS.md', 'skills/x.md', `contexts/${ORIGIN}/context.md`, 'handbook.md'])(
    '%s asks an admin, with the highest tier',
    async (path) => {
      const { said } = await write({ path, text: 'Obey.', mode: 'create' });
      expect(said).toMatch(/^proposed appr_/);
      expect(await read().find('approval', {})).toMatchObject([{ tier: 'high', approverRole: 'admin' }]);
      await expect(file(path)).rejects.toMatchObject({ kind: 'missing' });
    },
  );

  test.each([
    'logs/chat/ops/2026-11.md',
    'tasks/a.md',
    'contexts/elsewhere/memory.md',
    '../x.md',
    'notes/.hidden.md',
    'notes/a.sh',
  ])('%s is refused', async (path) => {
    const { said, run } = await write({ path, text: 'x', mode: 'create' });
    expect(said).toContain('Denied');
    expect(run.pendingApprovals).toEqual([]);
    expect(await read().count('effect', { kind: 'file.write' })).toBe(0);
  });

  test('a guest writes nothing', async () => {
    await stage.set({ guests: 'ask' });
    const { said } = await write({ path: 'notes/a.md', text: 'x', mode: 'create' }, { by: 'stranger-9' });
    expect(said).toContain('not available to guests');
    await expect(file('notes/a.md')).rejects.toMatchObject({ kind: 'missing' });
  });

  test('who lost the role writes nothing', async () => {
    stage.script = async function* ({ index }) {
      if (index === 0) {
        await stage.world.ungrant(MEMBER);
        yield* callTool('md_write', { path: 'notes/a.md', text: 'x', mode: 'create' });
      }
    };
    const run = await stage.settled((await stage.tell('write it')).run);
    expect(run).toMatchObject({ state: 'aborted', error: { kind: 'cancelled' } });
    await expect(file('notes/a.md')).rejects.toMatchObject({ kind: 'missing' });
    expect(stage.provider.requests).toHaveLength(1);
  });
});

test('a path that leads through a link is refused at once, and nobody is asked', async () => {
  await stage.put('notes/real/a.md', 'here');
  await stage.link('notes/real', 'linked');
  const { run, said } = await write({ path: 'linked/b.md', text: 'x', mode: 'create' });
  expect(run.pendingApprovals).toEqual([]);
  expect(said).not.toContain('proposed');
  expect(said).toContain('links are never followed');
  expect(await read().count('approval', {})).toBe(0);
});
