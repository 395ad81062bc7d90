import { createHmac, timingSafeEqual } from 'node:crypto';
import { canonicalJson, type JsonObject } from '@agent-runtime/domain';

/** One record of a Markdown file that the projector writes: machine-readable head, words for people, MAC over both. */
export interface FileRecord {
  readonly head: JsonObject;
  readonly text: string;
}

/** What is found in such a file. */
export interface ParsedRecords {
  readonly records: readonly FileRecord[];
  /** Lines that belong to no record of ours, or to one that somebody changed. */
  readonly foreignLines: number;
  /** Bytes up to the end of the last whole record. */
  readonly wholeBytes: number;
}

const OPEN = /^<!-- record (\{.*\}) mac:([A-Za-z0-9_-]{43}) -->$/;
const END = '<!-- end -->';

/**
 * Writes a record. Every line of the text is quoted, so that no text can pose as a record; in the head nothing can close the comment.
 * @param title one line for people, not covered by the MAC and never read back
 */
export function formatRecord(record: FileRecord, title: string, key: Uint8Array): string {
  const head = escapeHead(canonicalJson(record.head));
  const quoted = record.text.split('\n').map((line) => `> ${line}`);
  return `${[`<!-- record ${head} mac:${macOf(head, record.text, key)} -->`, title, '', ...quoted, END].join('\n')}\n\n`;
}

/** Reads what is ours; everything else is counted, never believed. */
export function parseRecords(text: string, key: Uint8Array): ParsedRecords {
  const records: FileRecord[] = [];
  const lines = text.split('\n');
  let foreignLines = 0;
  let wholeLines = 0;
  for (let at = 0; at < lines.length; ) {
    const open = OPEN.exec(lines[at] ?? '');
    const end = open === null ? -1 : lines.indexOf(END, at);
    const record = open === null || end < 0 ? undefined : readRecord(open, lines.slice(at + 1, end), key);
    if (record === undefined) {
      if ((lines[at] ?? '').trim() !== '') foreignLines += 1;
      at += 1;
      continue;
    }
    records.push(record);
    at = end + 1;
    wholeLines = lines[at] === '' ? at + 1 : at;
  }
  return {
    records,
    foreignLines,
    wholeBytes: Buffer.byteLength(
      lines
        .slice(0, wholeLines)
        .map((line) => `${line}\n`)
        .join(''),
    ),
  };
}

function readRecord(
  open: RegExpExecArray,
  lines: readonly string[],
  key: Uint8Array,
): FileRecord | undefined {
  const [, head = '', mac = ''] = open;
  const quoted = lines.slice(2);
  if (quoted.some((line) => !line.startsWith('> '))) return undefined;
  const text = quoted.map((line) => line.slice(2)).join('\n');
  const wanted = Buffer.from(macOf(head, text, key));
  const given = Buffer.from(mac);
  if (wanted.length !== given.length || !timingSafeEqual(wanted, given)) return undefined;
  return { head: JSON.parse(head) as JsonObject, text }; // safe: the MAC says that we wrote it
}

/** `--` would end the comment for other readers of Markdown; in JSON a character may be written by its code. */
function escapeHead(json: string): string {
  return json
    .replace(/[<>]/g, (char) => (char === '<' ? '\\u003c' : '\\u003e'))
    .replace(/--/g, '-\\u002d')
    .replace(/--/g, '-\\u002d');
}

function macOf(head: string, text: string, key: Uint8Array): string {
  return createHmac('sha256', key).update(`${head}\n${text}`).digest('base64url');
}
