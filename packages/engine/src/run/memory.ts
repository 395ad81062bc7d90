import { AppError, canFlow, clearanceOf, type MemoryEntry, type PromptText } from '@agent-runtime/domain';
import type { EngineDeps } from '../api.ts';
import type { RunPlace } from './session.ts';

/** Entries shown at most; the prompt's own budget cuts further. */
const MAX_ENTRIES = 40;

/**
 * Memory of the context and of its workspace, what shares words with the question first, then the newest.
 * Entries that the people here may not read are never looked at.
 */
export async function relevantMemory(deps: EngineDeps, place: RunPlace): Promise<readonly PromptText[]> {
  const { context, input } = place;
  const paths = [`contexts/${context.id}/memory.md`, 'memory.md'];
  const clearance = clearanceOf(context);
  const lists = await Promise.all(paths.map((path) => entriesOf(deps, place, path)));
  const words = wordsOf(input.text);
  const ranked = lists
    .flatMap((entries, file) => entries.map((entry) => ({ entry, path: paths[file] ?? '' })))
    .filter(({ entry }) => canFlow(entry.label, clearance))
    .map((one) => ({ ...one, score: overlap(words, one.entry) }));
  ranked.sort((a, b) => b.score - a.score || b.entry.line - a.entry.line);
  return ranked.slice(0, MAX_ENTRIES).map(({ entry, path }) => ({
    name: path,
    text: `${entry.text} (${path}:${entry.line})`,
    label: entry.label,
  }));
}

/** A memory file that the guards refuse is logged and left out: one broken file must not silence a whole workspace. */
async function entriesOf(deps: EngineDeps, place: RunPlace, path: string): Promise<readonly MemoryEntry[]> {
  try {
    return await deps.files.readMemory(place.context.workspace, path);
  } catch (thrown) {
    if (!(thrown instanceof AppError) || thrown.kind === 'bug') throw thrown;
    deps.log.warn({ room: 'run', path, code: thrown.code }, 'a memory file was left out');
    return [];
  }
}

function overlap(words: ReadonlySet<string>, entry: MemoryEntry): number {
  let shared = 0;
  for (const word of wordsOf(entry.text)) if (words.has(word)) shared += 1;
  return shared;
}

/** Words of four letters and more: the short ones say nothing about what a text is about. */
function wordsOf(text: string): ReadonlySet<string> {
  return new Set(text.toLowerCase().match(/[\p{L}\p{N}]{4,}/gu) ?? []);
}
