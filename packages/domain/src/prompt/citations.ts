import type { Citation } from '../task/index.ts';

/** Bounded everywhere and never started inside a word, so that a long row of dashes costs no more than its length. */
const CITATION =
  /(?<![\p{L}\p{N}_./-])((?:[\p{L}\p{N}_.-]{1,120}\/){0,12}[\p{L}\p{N}_.-]{1,120}\.md):(\d{1,6})(?!\d)/gu;

/** What tools really showed in a run: path -> highest line that exists. */
export type SeenSources = ReadonlyMap<string, number>;

/**
 * The citations of an answer that are true: the path was shown by a tool in this run and the line exists.
 * @returns in order of first appearance, without doubles
 */
export function citationsOf(answer: string, seen: SeenSources): readonly Citation[] {
  const found = new Map<string, Citation>();
  for (const match of answer.matchAll(CITATION)) {
    const path = match[1] ?? '';
    const line = Number(match[2]);
    const lines = seen.get(path);
    if (lines === undefined || line < 1 || line > lines) continue;
    found.set(`${path}:${line}`, { path, line });
  }
  return [...found.values()];
}
