import { type AudienceTag, makeLabel, type SearchHit, sha256 } from '@agent-runtime/domain';
import { describe, expect, test } from 'vitest';
import { useStage } from '../run/run.fixture.ts';
import { ORIGIN, TEST_AUDIT, WORKSPACE } from '../settle/world.fixture.ts';
import { openPath, parseOpenPath, searchWorkspace } from './index.ts';

const stage = useStage();
const never = new AbortController().signal;

const HERE: AudienceTag = `ctx:${WORKSPACE}/${ORIGIN}`;

async function relabel(path: string, audience: readonly AudienceTag[]): Promise<void> {
  await stage.files.read(WORKSPACE, path);
  await stage.world.deps.store.commit(TEST_AUDIT, (tx) =>
    tx.update('label_file', { path }, { label: makeLabel(1, audience) }),
  );
}

const find = (text: string, limit = 5) =>
  searchWorkspace(stage.deps, stage.world.context, { text, limit }, never);
const open = (path: string) => openPath(stage.deps, stage.world.context, path);

describe('searchWorkspace', () => {
  test('finds with line, words and label of what it found', async () => {
    await stage.put('faq.md', '# FAQ\n\nRefunds take 30 days.\n');
    await stage.put('notes/here.md', 'Refunds of ops.\n');
    await relabel('notes/here.md', [HERE]);
    const found = await find('refunds');
    expect(found.hits.map((hit) => hit.path).sort()).toEqual(['faq.md', 'notes/here.md']);
    expect(found.level).toBe('keyword');
    expect(found.label.audience).toContain(HERE);
    expect(found.sources).toContainEqual({ path: 'faq.md', lines: 3 });
  });

  test('asks for visibility before it counts: a hidden file takes no place', async () => {
    for (const name of ['a', 'b', 'c']) {
      await stage.put(`notes/${name}.md`, 'canary canary canary\n');
      await relabel(`notes/${name}.md`, [`ctx:${WORKSPACE}/elsewhere`]);
    }
    await stage.put('notes/z.md', 'one canary\n');
    expect((await find('canary', 1)).hits.map((hit) => hit.path)).toEqual(['notes/z.md']);
  });

  test('believes no index: a hit is read again', async () => {
    await stage.put('faq.md', 'first line\nsecond line\n');
    await stage.put('notes/hidden.md', 'canary\n');
    await relabel('notes/hidden.md', [`ctx:${WORKSPACE}/elsewhere`]);
    const hit = (path: string, line: number): SearchHit => ({
      path,
      line,
      snippet: 'forged words',
      score: 1,
    });
    const lying = {
      ...stage.deps,
      search: {
        level: 'lying',
        search: async () => [
          hit('notes/hidden.md', 1),
          hit('gone.md', 1),
          hit('faq.md', 99),
          hit('faq.md', 2),
        ],
      },
    };
    const found = await searchWorkspace(lying, stage.world.context, { text: 'x', limit: 9 }, never);
    expect(found.hits).toMatchObject([{ path: 'faq.md', line: 2, snippet: 'second line' }]);
    expect(JSON.stringify(found)).not.toMatch(/forged|canary|hidden/);
  });

  test('finds nothing in a memory of which some may not be seen', async () => {
    const path = `contexts/${ORIGIN}/memory.md`;
    await stage.put(path, '- likes tea\n- canary of others\n');
    await stage.files.read(WORKSPACE, path);
    const hash = sha256('- canary of others');
    await stage.world.deps.store.commit(TEST_AUDIT, async (tx) => {
      await tx.remove('label_entry', { path, hash });
      const label = makeLabel(1, [`ctx:${WORKSPACE}/elsewhere`]);
      await tx.insert('label_entry', { workspace: WORKSPACE, path, hash, label, at: 1 });
    });
    expect((await find('canary')).hits).toEqual([]);
    const stale = { level: 'stale', search: async () => [{ path, line: 1, snippet: 'x', score: 1 }] };
    const deps = { ...stage.deps, search: stale };
    expect((await searchWorkspace(deps, stage.world.context, { text: 'tea', limit: 9 }, never)).hits).toEqual(
      [],
    );
  });

  test('shows no more than was asked for', async () => {
    for (let n = 0; n < 9; n += 1) await stage.put(`n${n}.md`, 'refunds\n');
    expect((await find('refunds', 3)).hits).toHaveLength(3);
  });
});

describe('openPath', () => {
  test('opens a file, a line, or lines of it', async () => {
    await stage.put('faq.md', 'one\ntwo\nthree\nfour\n');
    expect(await open('faq.md')).toMatchObject({
      text: 'one\ntwo\nthree\nfour',
      fromLine: 1,
      toLine: 4,
      totalLines: 4,
    });
    expect(await open('faq.md:2')).toMatchObject({ text: 'two', fromLine: 2, toLine: 2 });
    expect(await open('faq.md:2-3')).toMatchObject({ text: 'two\nthree' });
    expect(await open('faq.md:3-99')).toMatchObject({ text: 'three\nfour', toLine: 4 });
    expect(await open('faq.md:99')).toMatchObject({ text: 'four', fromLine: 4 });
  });

  test('gives the same refusal for what is hidden and for what is not there', async () => {
    await stage.put('plan.md', 'canary\n');
    await relabel('plan.md', [`ctx:${WORKSPACE}/elsewhere`]);
    await expect(open('plan.md')).rejects.toMatchObject({
      code: 'search.file.missing',
      message: 'There is no plan.md, or not for you.',
    });
    await expect(open('gone.md')).rejects.toMatchObject({
      code: 'search.file.missing',
      message: 'There is no gone.md, or not for you.',
    });
  });

  test.each([
    '',
    '../etc/passwd',
    '/etc/passwd',
    'a.md:0',
    'a.md:5-2',
    '.hidden/a.md',
    'a\\b.md',
    'a.md:1-2-3',
  ])('refuses %j', (text) => {
    expect(() => parseOpenPath(text)).toThrow(expect.objectContaining({ code: 'search.path.invalid' }));
  });
});
