/**
 * Characters that a person does not see but a machine obeys: controls, bidi overrides, zero-width and tag characters, variation
 * selectors, private use, lone surrogates, blanks that are no white space. Newline and tab are ordinary.
 * Unicode properties, not a list: a list misses what the next version of Unicode adds.
 */
const HIDDEN =
  /[[\p{Cc}\p{Cf}\p{Co}\p{Cs}\p{Zl}\p{Zp}\p{Default_Ignorable_Code_Point}\u2800\u{1d159}]--[\n\t]]/v;
const HIDDEN_ALL = new RegExp(HIDDEN.source, 'gv');

/** Writes each hidden character as `⟨U+XXXX⟩`, so that an approver sees exactly what leaves. */
export function showHidden(text: string): string {
  return text.replace(
    HIDDEN_ALL,
    (char) => `⟨U+${(char.codePointAt(0) ?? 0).toString(16).toUpperCase().padStart(4, '0')}⟩`,
  );
}

/** True when the text holds a character that `showHidden` would spell out. */
export function hasHidden(text: string): boolean {
  return HIDDEN.test(text);
}

/** At most `maxChars` UTF-16 units of a text; never half a character, for that would have no canonical JSON. */
export function cutText(text: string, maxChars: number): string {
  if (text.length <= maxChars) return text;
  const end = Math.max(0, maxChars);
  const last = text.charCodeAt(end - 1);
  return text.slice(0, last >= 0xd800 && last <= 0xdbff ? end - 1 : end);
}

/** One line for lists and logs: hidden characters shown, white space folded, cut at `maxChars` with an ellipsis. */
export function oneLine(text: string, maxChars: number): string {
  const folded = showHidden(text.replace(/[ \t\r\n]+/g, ' ').trim());
  return folded.length <= maxChars ? folded : `${cutText(folded, maxChars - 1)}…`;
}
