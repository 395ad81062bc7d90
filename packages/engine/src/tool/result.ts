import { INTEGRITY, type Label, publicLabel, urlsIn } from '@agent-runtime/domain';

/** What a host tool shows the model. */
export interface HostResult {
  readonly text: string;
  /** Join of the labels of everything in `text`. */
  readonly label: Label;
  /** Files that were shown, with their number of lines. */
  readonly sources: readonly { readonly path: string; readonly lines: number }[];
}

/** Links in a text that staff wrote: an answer may repeat them. */
export function staffUrls(result: HostResult): readonly string[] {
  return result.label.integrity >= INTEGRITY.staff && result.sources.length > 0
    ? urlsIn(result.text).slice(0, MAX_URLS)
    : [];
}

const MAX_URLS = 200;

/** An answer that holds nothing of anybody. */
export function plain(text: string): HostResult {
  return { text, label: publicLabel(3), sources: [] };
}

/** Cuts at a line border so that the text stays below the tool's limit, and says so. */
export function capped(text: string, maxBytes: number): string {
  if (Buffer.byteLength(text) <= maxBytes) return text;
  const cut = Buffer.from(text)
    .subarray(0, Math.max(0, maxBytes - CUT_NOTE.length))
    .toString('utf8')
    .replace(/\uFFFD+$/u, '');
  const line = cut.lastIndexOf('\n');
  return (line > 0 ? cut.slice(0, line) : cut) + CUT_NOTE;
}

const CUT_NOTE = '\n[cut: ask for a smaller part]';

export function lineCount(text: string): number {
  const lines = text.split('\n');
  return lines.at(-1) === '' ? lines.length - 1 : lines.length;
}
