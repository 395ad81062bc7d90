import { createHmac, timingSafeEqual } from 'node:crypto';
import {
  canonicalJson,
  type EntryLabelRow,
  type FileLabelRow,
  type Json,
  type StoreReader,
  type WorkspaceId,
} from '@agent-runtime/domain';

/** Hidden, so that no listing shows it and no tool can name it. */
export const LABEL_LOG = '.labels.jsonl';

/** Labels of a workspace as they were written down last. */
export interface LabelRows {
  readonly files: readonly FileLabelRow[];
  readonly entries: readonly EntryLabelRow[];
}

/** Versions of one path that a change can concern: the present one, the good one, and writes whose fate is open. */
const VERSIONS = 20;

/** Lines for the labels of some paths, or of all. Repeating a line is harmless: the last one of a version counts. */
export async function labelLines(
  read: StoreReader,
  key: Uint8Array,
  of: { readonly workspace: WorkspaceId; readonly paths: ReadonlySet<string> | 'all' },
): Promise<string> {
  const { workspace, paths } = of;
  const lines: string[] = [];
  for (const where of paths === 'all' ? [{ workspace }] : [...paths].map((path) => ({ workspace, path }))) {
    const newest = await read.find('label_file', where, {
      orderBy: 'at',
      direction: 'desc',
      ...(paths === 'all' ? {} : { limit: VERSIONS }),
    });
    const good =
      paths === 'all'
        ? []
        : (await read.find('label_file', { ...where, isGood: true })).filter(
            (row) => !newest.some(({ path, hash }) => path === row.path && hash === row.hash),
          );
    const entries = await read.find('label_entry', where);
    for (const row of [...good, ...newest.toReversed()]) lines.push(lineOf('file', row, workspace, key));
    for (const row of entries) lines.push(lineOf('entry', row, workspace, key));
  }
  return lines.join('');
}

function lineOf(
  kind: 'file' | 'entry',
  row: FileLabelRow | EntryLabelRow,
  workspace: string,
  key: Uint8Array,
): string {
  const body = canonicalJson({ kind, row: { ...row, label: { ...row.label } } });
  return `${macOf(body, workspace, key)} ${body}\n`;
}

/** What the lines with our MAC say, of this workspace alone; one version per path is the current one, one at most the good one. */
export function parseLabelLog(text: string, workspace: string, key: Uint8Array): LabelRows {
  const files = new Map<string, FileLabelRow>();
  const entries = new Map<string, EntryLabelRow>();
  const current = new Map<string, string>();
  const good = new Map<string, string>();
  for (const line of text.split('\n')) {
    const body = line.slice(MAC_CHARS + 1);
    if (!isOurs(line.slice(0, MAC_CHARS), body, workspace, key)) continue;
    // safe: the MAC says that we wrote it
    const { kind, row } = JSON.parse(body) as { kind: 'file' | 'entry'; row: FileLabelRow & EntryLabelRow };
    const version = canonicalJson([row.path, row.hash] satisfies Json);
    if (kind === 'entry') {
      entries.set(version, row);
      continue;
    }
    files.set(version, row);
    if (row.isCurrent) current.set(row.path, row.hash);
    if (row.isGood) good.set(row.path, row.hash);
  }
  return {
    files: [...files.values()].map((row) => ({
      ...row,
      isCurrent: current.get(row.path) === row.hash,
      isGood: good.get(row.path) === row.hash,
    })),
    entries: [...entries.values()],
  };
}

const MAC_CHARS = 43;

function isOurs(mac: string, body: string, workspace: string, key: Uint8Array): boolean {
  const wanted = Buffer.from(macOf(body, workspace, key));
  const given = Buffer.from(mac);
  return wanted.length === given.length && timingSafeEqual(wanted, given);
}

/** The workspace is part of it: a line moved into another workspace's folder is not taken. */
function macOf(body: string, workspace: string, key: Uint8Array): string {
  return createHmac('sha256', key).update(`label\n${workspace}\n${body}`).digest('base64url');
}
