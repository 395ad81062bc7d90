import {
  AppError,
  type FileEntry,
  type Search,
  type SearchQuery,
  type WorkspaceFiles,
} from '@agent-runtime/domain';
import { passagesOf } from '../passage.ts';
import { type Note, rank } from '../rank.ts';
import { isInScope } from '../scope.ts';
import { noteCache } from './cache.ts';

export interface FilesSearchOptions {
  readonly files: Pick<WorkspaceFiles, 'list' | 'read'>;
  /** Text whose passages are kept in memory, 32 MiB unless said. */
  readonly maxCachedBytes?: number | undefined;
}

const DEFAULT_CACHE_BYTES = 32 * 1024 * 1024;
const READERS = 8;

/**
 * Search by words over the notes themselves: no index to build or to lose. Reads what changed since the last question.
 * @throws AppError search.query.cancelled; what `list` throws. A note that cannot be read is left out.
 */
export function filesSearch(options: FilesSearchOptions): Search {
  const cache = noteCache(options.maxCachedBytes ?? DEFAULT_CACHE_BYTES);
  const load = async (query: SearchQuery, entry: FileEntry): Promise<Note | undefined> => {
    const key = `${query.workspace}/${entry.path}`;
    const version = `${entry.modifiedAt}.${entry.sizeBytes}`;
    const known = cache.get(key, version);
    if (known !== undefined) return known;
    try {
      const { text } = await options.files.read(query.workspace, entry.path);
      const note: Note = { path: entry.path, passages: passagesOf(entry.path, text) };
      cache.put(key, version, note, text.length);
      return note;
    } catch (thrown) {
      // Gone or refused since it was listed: for this question it does not exist.
      if (thrown instanceof AppError && thrown.kind !== 'bug') return undefined;
      throw thrown;
    }
  };

  return {
    level: 'keyword',
    search: async (query, signal) => {
      const listed = await options.files.list(query.workspace);
      const inScope = listed.filter(({ path }) => isInScope(path, query.in));
      // Before anything is read or counted: what the asker may not see is not there.
      const visible = await pooled(inScope, signal, async (entry) =>
        (await query.isVisible(entry.path)) ? entry : undefined,
      );
      const notes = await pooled(visible, signal, (entry) => load(query, entry));
      return rank(notes, query.text, query.limit);
    },
  };
}

/** Maps with a few workers, drops `undefined`, keeps the order. */
async function pooled<A, B>(
  items: readonly A[],
  signal: AbortSignal,
  work: (item: A) => Promise<B | undefined>,
): Promise<readonly B[]> {
  const results: (B | undefined)[] = [];
  const queue = items.entries();
  const worker = async (): Promise<void> => {
    for (const [index, item] of queue) {
      if (signal.aborted) throw cancelled();
      results[index] = await work(item);
    }
  };
  await Promise.all(Array.from({ length: READERS }, worker));
  return results.filter((result) => result !== undefined);
}

function cancelled(): AppError {
  return new AppError({
    code: 'search.query.cancelled',
    kind: 'cancelled',
    message: 'The search was stopped.',
  });
}
