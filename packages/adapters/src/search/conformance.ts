import { parseWorkspaceId, type Search, type SearchHit, type SearchQuery } from '@agent-runtime/domain';
import { describe, expect, test } from 'vitest';

export interface SearchNote {
  readonly workspace: string;
  readonly path: string;
  readonly text: string;
}

/** Makes a search over these notes. */
export type MakeSearch = (notes: readonly SearchNote[]) => Search | Promise<Search>;

const note = (path: string, text: string, workspace = 'garden'): SearchNote => ({ workspace, path, text });

const NOTES: readonly SearchNote[] = [
  note(
    'faq.md',
    '---\ntitle: Questions\n---\n# Questions\n\n## Orders\n\n### How do I get a refund?\n\nWrite to support within 30 days.\nGive your order number.\n\n### Can I cancel?\n\nYes, until it is packed.\n',
  ),
  note('notes/frost.md', '# Frost\n\nThe sensors survived the frost. A refund was not needed.\n'),
  note('pricing.md', '# Prices\n\n- A kit costs 89 euros.\n- Refunds are paid within 5 days.\n'),
  note('logs/memory/general/2026-11.md', '# Log\n\nrefund refund refund\n'),
  note('tasks/task_1.md', '# Task\n\nrefund of order 7\n'),
  note('approvals/appr_1.md', '# Approval\n\nrefund of order 7\n'),
  note('email/box/1.md', '# Mail\n\nI want a refund.\n'),
  note('other.md', '# Other\n\nrefund refund refund refund\n', 'elsewhere'),
];

/** What every search must hold. */
export function searchConformance(name: string, make: MakeSearch): void {
  const ask = async (
    text: string,
    more: Partial<Omit<SearchQuery, 'workspace'>> = {},
    notes = NOTES,
    workspace = 'garden',
  ): Promise<readonly SearchHit[]> => {
    const query = { text, limit: 10, isVisible: async () => true, ...more };
    const search = await make(notes);
    return search.search({ ...query, workspace: parseWorkspaceId(workspace) }, new AbortController().signal);
  };

  describe(`search ${name}`, () => {
    test('finds the passage that answers a plain question, with its line and its words', async () => {
      const [best] = await ask('How do I get a refund?');
      expect(best).toMatchObject({ path: 'faq.md', line: 10 });
      expect(best?.snippet).toContain('Write to support within 30 days.');
    });

    test('a snippet stands in the file, from its line on', async () => {
      for (const hit of await ask('refund frost kit order')) {
        const text = NOTES.find(({ path }) => path === hit.path)?.text.split('\n') ?? [];
        expect(
          text
            .slice(hit.line - 1)
            .join('\n')
            .startsWith(hit.snippet),
        ).toBe(true);
      }
    });

    test('best first, no more than asked for, and none for an empty question', async () => {
      const hits = await ask('refund');
      expect(hits.map(({ score }) => score)).toEqual(hits.map(({ score }) => score).sort((a, b) => b - a));
      expect(await ask('refund', { limit: 1 })).toEqual(hits.slice(0, 1));
      for (const text of ['', '   ', '?!…', 'xyzzyx']) expect(await ask(text)).toEqual([]);
      expect(await ask('refund', { limit: 0 })).toEqual([]);
    });

    test('records are found only when they are asked for', async () => {
      const paths = async (where: SearchQuery['in']): Promise<readonly string[]> =>
        (await ask('refund', { in: where })).map(({ path }) => path);
      expect((await paths(undefined)).every((path) => !/^(logs|tasks|approvals|email)\//.test(path))).toBe(
        true,
      );
      expect(await paths('logs')).toEqual(['logs/memory/general/2026-11.md']);
      expect(await paths('tasks')).toEqual(['tasks/task_1.md']);
      expect(await paths('mail')).toEqual(['email/box/1.md']);
    });

    test('another workspace is not there', async () => {
      expect((await ask('refund')).some(({ path }) => path === 'other.md')).toBe(false);
      expect((await ask('refund', {}, NOTES, 'elsewhere')).map(({ path }) => path)).toEqual(['other.md']);
      expect(await ask('refund', {}, NOTES, 'nowhere')).toEqual([]);
    });

    test('what the asker may not see changes no hit, no score and no order', async () => {
      const hidden = Array.from({ length: 30 }, (_, index) =>
        note(`secret/${index}.md`, `# Refund\n\nrefund frost kit ${index}\n`),
      );
      const isVisible = async (path: string): Promise<boolean> => !path.startsWith('secret/');
      for (const text of ['refund', 'How do I get a refund?', 'frost kit', 'refnud']) {
        expect(await ask(text, { isVisible }, [...NOTES, ...hidden])).toEqual(await ask(text));
      }
      expect(await ask('refund', { isVisible: async () => false })).toEqual([]);
    });

    test('the same question gives the same hits', async () => {
      const search = await make(NOTES);
      const query = {
        workspace: parseWorkspaceId('garden'),
        text: 'refund kit',
        limit: 5,
        isVisible: async () => true,
      };
      const once = await search.search(query, new AbortController().signal);
      expect(await search.search(query, new AbortController().signal)).toEqual(once);
    });

    test('says what kind of search it is', async () => {
      expect((await make(NOTES)).level).toMatch(/^[a-z0-9-]+$/);
    });
  });
}
