/**
 * A text that every chat takes: well-formed UTF-16, `\n` as the only line end, no control characters (a space stands for each), no
 * byte order marks (the parser drops a leading one, and positions would be off by it). Words stay as they are. Pure, O(n).
 */
export function cleanText(text: string): string {
  return text
    .toWellFormed()
    .replace(/\r\n?/g, '\n')
    .replace(/[\u0000-\u0008\u000b\u000c\u000e-\u001f\u007f]/g, ' ')
    .replace(/\ufeff/g, '');
}
