import { oneLine, type TaskKind } from '@agent-runtime/domain';
import { runMeans } from '../run/means.ts';

/** Characters of the wish that a sentence repeats. */
const MAX_WISH_CHARS = 120;

/** The wish on one line, as it is repeated to who said it. */
export function inShort(text: string): string {
  return `“${oneLine(text, MAX_WISH_CHARS)}”`;
}

/** What was understood and will be done, in one sentence. */
export function understood(kind: TaskKind, text: string): string {
  const what = inShort(text);
  return kind === 'research'
    ? `Understood: I look into ${what} and answer with what I find.`
    : `Understood: I work on ${what} and answer here.`;
}

/** What stands on the card of a wish that waits. */
export function question(
  words: string,
  open: { readonly untilMs: number; readonly timeZone: string },
): string {
  const until = runMeans().timeFormat(open.timeZone)(open.untilMs);
  return `${words}\nOK begins it; another message adds to it. Open until ${until} (${open.timeZone}).`;
}
