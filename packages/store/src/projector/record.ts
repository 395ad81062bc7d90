import { createHmac, timingSafeEqual } from 'node:crypto';
import { canonicalJson, type JsonObject, showHidden } from '@agent-runtime/domain';

/** One record of a Markdown file that the projector writes: machine-readable head, a title and a text for people, a MAC over all three. */
export interface FileRecord {
  readonly head: JsonObject;
  readonly text: string;
}

/** What is found in such a file. */
export interface ParsedRecords {
  readonly records: readonly FileRecord[];
  /** Lines that belong to no record of ours, or to one that somebody changed. */
  readonly foreignLines: number;
}

export const RECORD_START = '<!-- record ';
export const RECORD_END = '<!-- end -->';
/** Controls, and characters that some program takes for a line break or a change of direction. */
const TREACHEROUS = /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u2028-\u202e\u2066-\u2069]/;
const OPEN = /^<!-- record (\{.*\}) mac:([0-9a-f]{64}) -->$/;

/**
 * Writes a record. Every line of the text is quoted, so that no text can pose as a record; in the head nothing can close the comment.
 * A text with characters that another program may take for a line break is shown with them spelt out, and kept exactly in the head.
 * @param record head without a member `exact`
 * @param title one line for people
 */
export function formatRecord(record: FileRecord, title: string, key: Uint8Array): string {
  const isPlain = !TREACHEROUS.test(record.text);
  const shown = isPlain ? record.text : showHidden(record.text);
  const head = escapeHead(canonicalJson(isPlain ? record.head : { ...record.head, exact: record.text }));
  const quoted = shown.split('\n').map((line) => `> ${line}`);
  const mac = macOf({ head, title, shown }, key);
  return `${[`${RECORD_START}${head} mac:${mac} -->`, title, '', ...quoted, RECORD_END].join('\n')}\n\n`;
}

/** Reads what is ours; everything else is counted, never believed. */
export function parseRecords(text: string, key: Uint8Array): ParsedRecords {
  const records: FileRecord[] = [];
  const lines = text.split('\n');
  let foreignLines = 0;
  for (let at = 0; at < lines.length; ) {
    const open = OPEN.exec(lines[at] ?? '');
    const end = open === null ? -1 : endOfRecord(lines, at);
    const record = open === null || end < 0 ? undefined : readRecord(open, lines.slice(at + 1, end), key);
    if (record === undefined) {
      if ((lines[at] ?? '').trim() !== '') foreignLines += 1;
      at += 1;
      continue;
    }
    records.push(record);
    at = end + 1;
  }
  return { records, foreignLines };
}

/**
 * The line that ends a record: after its title and a blank line come quoted lines alone. A quoted line opens no record, so that every
 * line is looked at a fixed number of times, however many false beginnings a file holds.
 * @returns -1 when there is none
 */
function endOfRecord(lines: readonly string[], openAt: number): number {
  let at = openAt + 3;
  while (lines[at]?.startsWith('> ')) at += 1;
  return lines[at] === RECORD_END ? at : -1;
}

function readRecord(
  open: RegExpExecArray,
  lines: readonly string[],
  key: Uint8Array,
): FileRecord | undefined {
  const [, head = '', mac = ''] = open;
  const [title = '', blank, ...quoted] = lines;
  if (blank !== '' || quoted.some((line) => !line.startsWith('> '))) return undefined;
  const shown = quoted.map((line) => line.slice(2)).join('\n');
  const wanted = Buffer.from(macOf({ head, title, shown }, key));
  const given = Buffer.from(mac);
  if (wanted.length !== given.length || !timingSafeEqual(wanted, given)) return undefined;
  const { exact, ...rest } = JSON.parse(head) as JsonObject; // safe: the MAC says that we wrote it
  return { head: rest, text: typeof exact === 'string' ? exact : shown };
}

/** `-->` would end the comment; in JSON a character may be written by its code. */
function escapeHead(json: string): string {
  return json
    .replaceAll('<', '\\u003c')
    .replaceAll('>', '\\u003e')
    .replaceAll('--', '\\u002d\\u002d')
    .replaceAll('\u007f', '\\u007f')
    .replace(
      /[\u0080-\u009f\u2028\u2029]/g,
      (char) => `\\u${char.charCodeAt(0).toString(16).padStart(4, '0')}`,
    );
}

/** Head and title are one line each, so the three parts cannot be shifted against each other. */
function macOf(
  record: { readonly head: string; readonly title: string; readonly shown: string },
  key: Uint8Array,
): string {
  return createHmac('sha256', key).update(`${record.head}\n${record.title}\n${record.shown}`).digest('hex');
}
