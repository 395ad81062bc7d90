import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import {
  AppError,
  type FileEntry,
  type LabelledFile,
  parseWorkspaceId,
  publicLabel,
  type SearchQuery,
  sha256,
  type WorkspaceFiles,
} from '@agent-runtime/domain';
import { describe, expect, test } from 'vitest';
import { type SearchNote, searchConformance } from '../conformance.ts';
import { filesSearch } from './files.ts';

const community = parseWorkspaceId('community');
const signal = new AbortController().signal;

/** Files in memory that count how often they are read. */
function filesOf(notes: readonly SearchNote[]) {
  const texts = new Map(notes.map((note) => [`${note.workspace}/${note.path}`, { ...note, modifiedAt: 1 }]));
  const reads: string[] = [];
  const files: Pick<WorkspaceFiles, 'list' | 'read'> = {
    list: async (workspace) =>
      [...texts.values()]
        .filter((note) => note.workspace === workspace)
        .map(({ path, text, modifiedAt }): FileEntry => ({ path, sizeBytes: text.length, modifiedAt })),
    read: async (workspace, path): Promise<LabelledFile> => {
      reads.push(path);
      const note = texts.get(`${workspace}/${path}`);
      if (note === undefined || note.text === 'refused')
        throw new AppError({
          code: 'workspace.file.missing',
          kind: 'missing',
          message: 'There is no such file.',
        });
      return { path, text: note.text, hash: sha256(note.text), label: publicLabel(2) };
    },
  };
  return { files, reads, texts };
}

searchConformance('files', (notes) => filesSearch({ files: filesOf(notes).files }));

const query = (text: string, more: Partial<SearchQuery> = {}): SearchQuery => ({
  workspace: community,
  text,
  limit: 3,
  isVisible: async () => true,
  ...more,
});

describe('reading', () => {
  const notes = ['a.md', 'b.md', 'c.md'].map((path) => ({
    workspace: 'community',
    path,
    text: `# ${path}\n\nfrost ${path}\n`,
  }));

  test('a note is read again only when it changed', async () => {
    const { files, reads, texts } = filesOf(notes);
    const search = filesSearch({ files });
    await search.search(query('frost'), signal);
    await search.search(query('frost'), signal);
    expect(reads).toEqual(['a.md', 'b.md', 'c.md']);
    texts.set('community/b.md', {
      workspace: 'community',
      path: 'b.md',
      text: '# b\n\nthaw!\n',
      modifiedAt: 2,
    });
    expect((await search.search(query('thaw'), signal)).map(({ path }) => path)).toEqual(['b.md']);
    expect(reads).toEqual(['a.md', 'b.md', 'c.md', 'b.md']);
  });

  test('what the asker may not see is never read', async () => {
    const { files, reads } = filesOf(notes);
    await filesSearch({ files }).search(
      query('frost', { isVisible: async (path) => path === 'c.md' }),
      signal,
    );
    expect(reads).toEqual(['c.md']);
  });

  test('memory is bounded: what does not fit is read again', async () => {
    const { files, reads } = filesOf(notes);
    const search = filesSearch({ files, maxCachedBytes: 15 });
    for (let round = 0; round < 3; round += 1) await search.search(query('frost'), signal);
    expect(reads.length).toBe(9);
  });

  test('a note that is refused or gone is left out; the others are found', async () => {
    const { files } = filesOf([...notes, { workspace: 'community', path: 'd.md', text: 'refused' }]);
    expect(await filesSearch({ files }).search(query('frost'), signal)).toHaveLength(3);
  });

  test('an abort ends it', async () => {
    const search = filesSearch({ files: filesOf(notes).files });
    await expect(search.search(query('frost'), AbortSignal.abort())).rejects.toMatchObject({
      kind: 'cancelled',
    });
  });
});

describe('plain questions over the example workspace', () => {
  const root = fileURLToPath(new URL('../../../../../data.example/workspaces/community', import.meta.url));
  const paths = readdirSync(root, { recursive: true, encoding: 'utf8' }).filter((path) =>
    path.endsWith('.md'),
  );
  const notes = paths.map((path) => ({
    workspace: 'community',
    path,
    text: readFileSync(join(root, path), 'utf8'),
  }));
  const search = filesSearch({ files: filesOf(notes).files });

  test.each([
    ['How do I get a refund?', 'faq.md', 'support@dewpeg.example within 30 days'],
    ['how can i get my money back for a yearly relay plan', 'faq.md', 'refund'],
    ['When is the next release?', 'faq.md', '19 January 2027'],
    ['Is there an app for my phone?', 'faq.md', 'installable on a phone'],
    ['reset my hub pasword', 'faq.md', 'reset-password'],
    ['What is Relay?', 'glossary.md', 'our paid service'],
    ['who are our competitors', 'competitors.md', 'Ploverbox'],
    ['who looks after security?', 'handbook.md', 'Odalys'],
    ['how long does the battery last', 'faq.md', '14 months'],
    ['frost warning', 'glossary.md', 'a message in the evening'],
    ['What did we decide about the mobile app?', 'meetings/2026-09-08.md', 'Forty-one people'],
  ])('%s', async (text, path, words) => {
    const [best] = await search.search(query(text), signal);
    expect(best?.path).toBe(path);
    expect(best?.snippet).toContain(words);
  });
});
