import {
  AppError,
  type Context,
  isCleanPath,
  join,
  type Label,
  publicLabel,
  type SearchHit,
  type SearchQuery,
} from '@agent-runtime/domain';
import type { EngineDeps } from '../api.ts';
import { lineCount } from '../tool/result.ts';
import { visibleFile } from '../tool/visible.ts';

type Deps = Pick<EngineDeps, 'files' | 'search' | 'log'>;

/** What a search found, re-read and re-checked. */
export interface Found {
  readonly hits: readonly SearchHit[];
  readonly label: Label;
  readonly level: string;
  readonly sources: readonly { readonly path: string; readonly lines: number }[];
}

/**
 * Searches the workspace of a context for the people who read there. Each hit is read again from the file: its label, its line and
 * its words are those of now, whatever an index remembers.
 */
export async function searchWorkspace(
  deps: Deps,
  context: Context,
  query: { readonly text: string; readonly limit: number; readonly in?: SearchQuery['in'] },
  signal: AbortSignal,
): Promise<Found> {
  // A memory file with entries that are hidden here is left out whole: whether and where it matches would tell of them.
  const isVisible = async (path: string): Promise<boolean> => {
    const file = await visibleFile(deps, context, path);
    return file !== undefined && file.whole === undefined;
  };
  const raw = await deps.search.search(
    { workspace: context.workspace, text: query.text, limit: query.limit, in: query.in, isVisible },
    signal,
  );
  const hits: SearchHit[] = [];
  const labels: Label[] = [];
  const sources = new Map<string, number>();
  for (const hit of raw.slice(0, query.limit)) {
    const file = await visibleFile(deps, context, hit.path);
    if (file === undefined || file.whole !== undefined) continue;
    const lines = file.text.split('\n');
    const total = lineCount(file.text);
    if (hit.line < 1 || hit.line > total) continue;
    const length = Math.max(1, hit.snippet.split('\n').length);
    hits.push({
      ...hit,
      snippet: lines.slice(hit.line - 1, Math.min(total, hit.line - 1 + length)).join('\n'),
    });
    labels.push(file.label);
    sources.set(file.path, total);
  }
  return {
    hits,
    label: labels.length === 0 ? publicLabel(3) : join(...labels),
    level: deps.search.level,
    sources: [...sources].map(([path, total]) => ({ path, lines: total })),
  };
}

/** One file or a part of it. */
export interface Opened {
  readonly path: string;
  readonly fromLine: number;
  readonly toLine: number;
  readonly totalLines: number;
  readonly text: string;
  readonly label: Label;
}

/** `notes/a.md`, `notes/a.md:12` or `notes/a.md:12-20`. @throws AppError search.path.invalid */
export function parseOpenPath(text: string): {
  readonly path: string;
  readonly from?: number;
  readonly to?: number;
} {
  const match = /^(.+?)(?::(\d{1,7})(?:-(\d{1,7}))?)?$/.exec(text.trim());
  const path = match?.[1] ?? '';
  const from = match?.[2] === undefined ? undefined : Number(match[2]);
  const to = match?.[3] === undefined ? undefined : Number(match[3]);
  if (!isCleanPath(path) || from === 0 || (from !== undefined && to !== undefined && to < from)) {
    throw new AppError({
      code: 'search.path.invalid',
      kind: 'invalid',
      message: 'Name a file like notes/a.md, notes/a.md:12 or notes/a.md:12-20.',
    });
  }
  return { path, ...(from === undefined ? {} : { from }), ...(to === undefined ? {} : { to }) };
}

/** Opens a file for the people of a context. @throws AppError search.file.missing (not there, or not for you) · search.path.invalid */
export async function openPath(deps: Deps, context: Context, text: string): Promise<Opened> {
  const { path, from, to } = parseOpenPath(text);
  const file = await visibleFile(deps, context, path);
  if (file === undefined) {
    throw new AppError({
      code: 'search.file.missing',
      kind: 'missing',
      message: `There is no ${path}, or not for you.`,
    });
  }
  const totalLines = lineCount(file.text);
  const fromLine = Math.min(from ?? 1, Math.max(1, totalLines));
  const toLine = Math.min(to ?? (from === undefined ? totalLines : from), totalLines);
  const lines = file.text.split('\n').slice(fromLine - 1, toLine);
  return { path, fromLine, toLine, totalLines, text: lines.join('\n'), label: file.label };
}
