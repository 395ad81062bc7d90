import type { LabelRow } from '@agent-runtime/domain';

const INTEGRITY_MARKS = ['outside', 'member', 'staff', 'command'];

/**
 * A label in a few letters, for a column: who vouches for the text, then who may read it.
 * @returns e.g. `staff public`, `staff ws`, `member ctx:ops`, `member priv:user_01hx`
 */
export function labelMarks({ integrity, audience }: Pick<LabelRow, 'integrity' | 'audience'>): string {
  const readers = audience.length === 0 ? ['public'] : audience.map(readerMark);
  return [INTEGRITY_MARKS[integrity] ?? `integrity ${integrity}`, ...readers].join(' ');
}

/** The list is of one workspace, so its name is left out. */
function readerMark(tag: string): string {
  if (tag.startsWith('ws:')) return 'ws';
  if (tag.startsWith('ctx:')) return `ctx:${tag.slice(tag.indexOf('/') + 1)}`;
  return tag;
}
