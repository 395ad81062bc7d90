/**
 * Characters that a person does not see but a machine obeys: controls, bidi overrides, zero-width and tag characters,
 * variation selectors, private use. Newline and tab are ordinary.
 */
const HIDDEN =
  /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b-\u200f\u2028-\u202e\u2060-\u206f\u3164\ufe00-\ufe0f\ufeff\uffa0\ufff9-\ufffb\u{1d173}-\u{1d17a}\u{e0000}-\u{e0fff}\ue000-\uf8ff]/gu;

/** Writes each hidden character as `⟨U+XXXX⟩`, so that an approver sees exactly what leaves. */
export function showHidden(text: string): string {
  return text.replace(
    HIDDEN,
    (char) => `⟨U+${(char.codePointAt(0) ?? 0).toString(16).toUpperCase().padStart(4, '0')}⟩`,
  );
}

/** True when the text holds a character that `showHidden` would spell out. */
export function hasHidden(text: string): boolean {
  HIDDEN.lastIndex = 0;
  return HIDDEN.test(text);
}

/** One line for lists and logs: hidden characters shown, white space folded, cut at `maxChars` with an ellipsis. */
export function oneLine(text: string, maxChars: number): string {
  const folded = showHidden(text.replace(/\s+/g, ' ').trim());
  return folded.length <= maxChars ? folded : `${folded.slice(0, Math.max(0, maxChars - 1))}…`;
}
