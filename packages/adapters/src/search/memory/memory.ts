import type { Search } from '@agent-runtime/domain';
import { passagesOf } from '../passage.ts';
import { rank } from '../rank.ts';
import { isInScope } from '../scope.ts';

export interface MemorySearch extends Search {
  /** Puts a note in, or a new text of it. */
  put(workspace: string, path: string, text: string): void;
  remove(workspace: string, path: string): void;
}

/** Search over notes that a test hands over; ranks like the search over files. */
export function memorySearch(
  notes: readonly { readonly workspace: string; readonly path: string; readonly text: string }[] = [],
): MemorySearch {
  const texts = new Map<string, Map<string, string>>();
  const put = (workspace: string, path: string, text: string): void => {
    const paths = texts.get(workspace) ?? new Map<string, string>();
    texts.set(workspace, paths.set(path, text));
  };
  for (const { workspace, path, text } of notes) put(workspace, path, text);
  return {
    level: 'keyword',
    put,
    remove: (workspace, path) => void texts.get(workspace)?.delete(path),
    search: async (query) => {
      const visible: { readonly path: string; readonly text: string }[] = [];
      for (const [path, text] of texts.get(query.workspace) ?? []) {
        if (isInScope(path, query.in) && (await query.isVisible(path))) visible.push({ path, text });
      }
      const found = visible.map(({ path, text }) => ({ path, passages: passagesOf(path, text) }));
      return rank(found, query.text, query.limit);
    },
  };
}
