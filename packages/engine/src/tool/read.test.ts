import {
  AppError,
  type AudienceTag,
  type JsonObject,
  makeLabel,
  sha256,
  type ToolSpec,
  type WorkspaceFiles,
} from '@agent-runtime/domain';
import { allTools } from '@agent-runtime/tools';
import { describe, expect, test } from 'vitest';
import { type Stage, useStage } from '../run/run.fixture.ts';
import { must, ORIGIN, TEST_AUDIT, WORKSPACE } from '../settle/world.fixture.ts';
import { carryOut, type HostResult } from './index.ts';

const stage = useStage();

const HERE: AudienceTag = `ctx:${WORKSPACE}/${ORIGIN}`;
const ELSEWHERE: AudienceTag = `ctx:${WORKSPACE}/elsewhere`;

/** Carries out a tool as the run of a member would, after a permit. */
async function use(
  name: string,
  args: JsonObject,
  more: { readonly signal?: AbortSignal } = {},
): Promise<HostResult> {
  return useTool(must(allTools.find((tool) => tool.name === name)), args, more);
}

async function useTool(
  tool: ToolSpec,
  args: JsonObject,
  more: { readonly signal?: AbortSignal; readonly files?: WorkspaceFiles } = {},
): Promise<HostResult> {
  const run = must((await stage.world.deps.store.read.find('run', {}))[0]);
  const { files = stage.deps.files, signal = new AbortController().signal } = more;
  return carryOut(
    { ...stage.deps, files },
    {
      place: { run, context: stage.world.context },
      tool,
      args,
      label: makeLabel(1, [HERE]),
      signal,
      decision: { kind: 'permit', reasons: [], obligations: [] },
    },
  );
}

/** Gives a file another label, as an import or a run would have. */
async function relabel(on: Stage, path: string, integrity: 0 | 1 | 2, audience: readonly AudienceTag[]) {
  await on.files.read(WORKSPACE, path);
  await on.world.deps.store.commit(TEST_AUDIT, (tx) =>
    tx.update('label_file', { path }, { label: makeLabel(integrity, audience) }),
  );
}

/** A workspace with something for everybody, for here, and for elsewhere. */
async function furnish(): Promise<void> {
  await stage.settled((await stage.tell('begin')).run);
  await stage.put('faq.md', '# FAQ\n\nRefunds take 30 days.\nRefunds need a receipt.\n');
  await stage.put('notes/here.md', 'A note of ops about refunds.\n');
  await stage.put('notes/canary.md', 'The canary about refunds.\n');
  await stage.put('logs/chat/ops/2026-11.md', 'refunds refunds\n');
  await relabel(stage, 'notes/here.md', 1, [HERE]);
  await relabel(stage, 'notes/canary.md', 2, [ELSEWHERE]);
}

describe('md_read', () => {
  test('prints each line with its address, and says what is left', async () => {
    await furnish();
    expect(await use('md_read', { path: 'faq.md' })).toMatchObject({
      text: 'faq.md:1  # FAQ\nfaq.md:2  \nfaq.md:3  Refunds take 30 days.\nfaq.md:4  Refunds need a receipt.',
      sources: [{ path: 'faq.md', lines: 4 }],
    });
    expect((await use('md_read', { path: 'faq.md', from_line: 3, lines: 1 })).text).toBe(
      'faq.md:3  Refunds take 30 days.\n[1 more lines; ask with from_line 4]',
    );
    expect((await use('md_read', { path: 'faq.md', from_line: 9 })).text).toBe('faq.md has 4 lines.');
  });

  test('carries the label of what it showed', async () => {
    await furnish();
    expect((await use('md_read', { path: 'notes/here.md' })).label).toEqual(makeLabel(1, [HERE]));
  });

  test.each(['notes/canary.md', 'notes/gone.md', '../secrets.md', '.hidden.md', 'notes'])(
    'gives the same refusal for %s',
    async (path) => {
      await furnish();
      await expect(use('md_read', { path })).rejects.toMatchObject({
        code: 'tool.file.missing',
        message: `There is no ${path}, or not for here. md_list shows what there is.`,
      });
    },
  );
});

describe('lists and searches', () => {
  test('name only what may be seen here', async () => {
    await furnish();
    expect((await use('md_list', {})).text.split('\n')).toEqual([
      'faq.md',
      'logs/chat/ops/2026-11.md',
      'notes/here.md',
    ]);
    expect((await use('md_list', { folder: 'notes/' })).text).toBe('notes/here.md');
    expect((await use('md_glob', { pattern: 'notes/*.md' })).text).toBe('notes/here.md');
    expect((await use('md_list', { folder: 'elsewhere' })).text).toBe('No notes there.');
  });

  test('a name has the label of its file', async () => {
    await furnish();
    expect((await use('md_glob', { pattern: 'notes/*' })).label).toEqual(makeLabel(1, [HERE]));
    expect((await use('md_list', {})).label.integrity).toBeLessThan(2);
  });

  test('md_grep finds lines in any case, not in records, not in what is hidden', async () => {
    await furnish();
    const found = await use('md_grep', { pattern: 'rEfUnDs' });
    expect(found.text.split('\n')).toEqual([
      'faq.md:3  Refunds take 30 days.',
      'faq.md:4  Refunds need a receipt.',
      'notes/here.md:1  A note of ops about refunds.',
    ]);
    expect(found.sources.map((source) => source.path)).toEqual(['faq.md', 'notes/here.md']);
    expect((await use('md_grep', { pattern: 'canary' })).text).toBe('No line holds "canary".');
    expect((await use('md_grep', { pattern: 'refunds', folder: 'notes' })).text).toBe(
      'notes/here.md:1  A note of ops about refunds.',
    );
  });

  test('qmd_search shows lines with their addresses, and nothing hidden', async () => {
    await furnish();
    const found = await use('qmd_search', { query: 'refunds' });
    expect(found.text).toContain('faq.md:3  Refunds take 30 days.');
    expect(found.text).not.toContain('canary');
    expect((await use('qmd_search', { query: 'canary' })).text).toBe('Nothing found for "canary".');
  });

  test('say so when there is more than they show', async () => {
    await furnish();
    await stage.put('many.md', 'needle\n'.repeat(100));
    const found = await use('md_grep', { pattern: 'needle' });
    expect(found.text.split('\n')).toHaveLength(61);
    expect(found.text).toContain('[more lines');
  });
});

describe('limits', () => {
  test('a result is cut at a line, below the limit of its tool', async () => {
    await furnish();
    await stage.put('long.md', `${'äöü '.repeat(90)}\n`.repeat(2_000));
    const tool = must(allTools.find(({ name }) => name === 'md_read'));
    const { text } = await use('md_read', { path: 'long.md', lines: 2_000 });
    expect(Buffer.byteLength(text)).toBeLessThanOrEqual(tool.limits.maxResultBytes);
    expect(text.endsWith('[cut: ask for a smaller part]')).toBe(true);
    expect(text).not.toContain('\ufffd');
  });

  test('a read that takes too long is not waited for', async () => {
    await furnish();
    const slow = { ...stage.deps.files, read: () => new Promise<never>(() => {}) };
    const run = must((await stage.world.deps.store.read.find('run', {}))[0]);
    const call = carryOut(
      { ...stage.deps, files: slow },
      {
        place: { run, context: stage.world.context },
        tool: must(allTools.find((tool) => tool.name === 'md_read')),
        args: { path: 'faq.md' },
        label: makeLabel(1),
        signal: new AbortController().signal,
        decision: { kind: 'permit', reasons: [], obligations: [] },
      },
    );
    const caught = call.catch((thrown: unknown) => thrown);
    await stage.world.clock.advance(60_000);
    expect(await caught).toMatchObject({ code: 'tool.time.unavailable' });
  });

  test('a stopped run is not kept waiting', async () => {
    await furnish();
    const stop = new AbortController();
    stop.abort('panic');
    await expect(use('md_read', { path: 'faq.md' }, { signal: stop.signal })).rejects.toBeInstanceOf(
      AppError,
    );
  });

  test('what does not run on the host is not carried out', async () => {
    await furnish();
    await expect(use('post_message', { channel: 'x', text: 'y' })).rejects.toMatchObject({
      code: 'tool.name.rejected',
    });
    const read = must(allTools.find(({ name }) => name === 'md_read'));
    for (const tool of [
      { ...read, runs: 'sandbox' as const },
      { ...read, name: 'constructor' },
    ])
      await expect(useTool(tool, { path: 'faq.md' })).rejects.toMatchObject({ code: 'tool.name.rejected' });
  });

  test('a write is waited for, however long it takes', async () => {
    await furnish();
    const slow = Promise.withResolvers<{ readonly hash: ReturnType<typeof sha256> }>();
    const files = { ...stage.deps.files, write: () => slow.promise };
    const tool = must(allTools.find(({ name }) => name === 'md_write'));
    const args = { path: 'notes/new.md', text: 'x', mode: 'create' };
    let isOver = false;
    const done = useTool(tool, args, { files }).finally(() => {
      isOver = true;
    });
    await stage.world.clock.advance(3_600_000);
    expect(isOver).toBe(false);
    slow.resolve({ hash: sha256('x\n') });
    expect((await done).text).toBe('Wrote notes/new.md.');
  });

  test('a search shows as many as were asked for', async () => {
    await furnish();
    expect((await use('qmd_search', { query: 'refunds', limit: 1 })).sources).toHaveLength(1);
    expect((await use('qmd_search', { query: 'refunds' })).sources.length).toBeGreaterThan(1);
  });
});

describe('memory', () => {
  const OWN = `contexts/${ORIGIN}/memory.md`;
  const hideEntry = async (path: string, word: string): Promise<void> => {
    const entries = await stage.files.readMemory(WORKSPACE, path);
    await stage.world.deps.store.commit(TEST_AUDIT, async (tx) => {
      for (const entry of entries.filter(({ text }) => text.includes(word))) {
        const row = { workspace: WORKSPACE, path, hash: sha256(entry.text), at: 1 };
        await tx.remove('label_entry', { path, hash: row.hash });
        await tx.insert('label_entry', { ...row, label: makeLabel(1, [ELSEWHERE]) });
      }
    });
  };

  test('is shown entry by entry, with the lines of the file', async () => {
    await furnish();
    await stage.put(OWN, '# Memory\n\n- likes tea\n- canary of others\n- opens at nine\n');
    await stage.files.read(WORKSPACE, OWN);
    await hideEntry(OWN, 'canary');
    const { text } = await use('md_read', { path: OWN });
    expect(text).not.toContain('canary');
    expect(text).toContain(`${OWN}:3  - likes tea`);
    expect(text).toContain(`${OWN}:5  - opens at nine`);
    expect((await use('md_grep', { pattern: 'canary' })).text).toContain('No line');
  });

  test('of which nothing may be seen does not exist', async () => {
    await furnish();
    await stage.put(OWN, '- canary of others\n');
    await stage.files.read(WORKSPACE, OWN);
    await hideEntry(OWN, 'canary');
    await expect(use('md_read', { path: OWN })).rejects.toMatchObject({ code: 'tool.file.missing' });
    expect((await use('md_list', {})).text).not.toContain('memory.md');
  });
});
