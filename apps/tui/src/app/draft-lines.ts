import { showHidden } from '@agent-runtime/domain';
import type { Draft } from './edit.ts';
import { type Line, line, span } from './line.tsx';
import { cells, wrap } from './width.ts';

/** The draft with its cursor as lines; the part around the cursor when there are more than `most`. */
export function draftLines(draft: Draft, width: number, most: number): readonly Line[] {
  const head = visible(draft.text.slice(0, draft.at));
  const under = [...visible(draft.text.slice(draft.at))][0] ?? '';
  const cursor = under === '' || under === '\n' ? '▏' : under;
  const tail = visible(draft.text.slice(draft.at + (under === '\n' ? 0 : firstLength(draft))));
  const before = wrap(head, width);
  const last = before.at(-1) ?? '';
  const room = width - cells(last) - cells(cursor);
  // The cursor's line is drawn in three pieces; when it is full the cursor begins the next one.
  const isFull = room < 0;
  const rest = wrap(tail, width);
  const joined = isFull
    ? [span(cursor, 'bar'), span(tail.split('\n')[0] ?? '')]
    : [span(last), span(cursor, 'bar'), span(tail.split('\n')[0] ?? '')];
  const lines: Line[] = [
    ...before.slice(0, isFull ? undefined : -1).map((text) => line(text)),
    joined,
    ...(tail.includes('\n') ? rest.slice(1).map((text) => line(text)) : []),
  ];
  const at = before.length - (isFull ? 0 : 1);
  const first = Math.max(0, Math.min(at - most + 1, lines.length - most));
  return lines.slice(Math.max(0, first), Math.max(0, first) + most);
}

/** Hidden characters are spelt out while line ends stay. */
export function visible(text: string): string {
  return showHidden(text);
}

function firstLength({ text, at }: Draft): number {
  return [...text.slice(at)][0]?.length ?? 0;
}
