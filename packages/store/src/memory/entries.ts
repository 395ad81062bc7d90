import {
  type EntryLabelRow,
  join,
  type Label,
  type MemoryEntry,
  type StoreReader,
  sha256,
  type WorkspaceId,
} from '@agent-runtime/domain';

/** Files whose entries carry labels of their own. */
export function isMemoryPath(path: string): boolean {
  return /^(?:memory\.md|contexts\/[^/]+\/memory(?:\.md|\/[^/]+\.md))$/i.test(path);
}

/** An entry before its label is known. */
export interface BareEntry {
  readonly text: string;
  readonly line: number;
}

/** Splits a memory file: each list item with its continuation lines, each other paragraph. Headings and front matter are no entries. */
export function splitEntries(text: string): readonly BareEntry[] {
  const entries: BareEntry[] = [];
  let open: { line: number; lines: string[] } | undefined;
  const end = (): void => {
    if (open !== undefined) entries.push({ text: open.lines.join('\n').trimEnd(), line: open.line });
    open = undefined;
  };
  let isFrontMatter = false;
  text.split('\n').forEach((raw, index) => {
    const line = raw.replace(/\r$/, '');
    if (/^---\s*$/.test(line) && (index === 0 || isFrontMatter)) {
      isFrontMatter = index === 0;
      return;
    }
    if (isFrontMatter) return;
    if (line.trim() === '' || /^#{1,6}\s/.test(line)) end();
    else if (/^[-*+]\s/.test(line) || open === undefined) {
      end();
      open = { line: index + 1, lines: [line] };
    } else open.lines.push(line);
  });
  end();
  return entries;
}

/**
 * Entries with their labels. One that is not known here takes the file's label, joined with what the same words are known as
 * elsewhere in the workspace: an entry that was copied stays as low as it was.
 */
export async function labelledEntries(
  read: StoreReader,
  file: {
    readonly workspace: WorkspaceId;
    readonly path: string;
    readonly text: string;
    readonly label: Label;
  },
): Promise<readonly MemoryEntry[]> {
  const entries = splitEntries(file.text);
  const known = await knownLabels(read, file.workspace, entries);
  return entries.map((entry) => {
    const { here, elsewhere } = lookUp(known, file.path, entry.text);
    return { ...entry, label: here ?? join(file.label, ...elsewhere) };
  });
}

/**
 * Labels after a write: entries that were there keep theirs, new ones take the write's. An entry that comes back (an undo) or comes
 * from another file is also at most what it was known as.
 * @returns rows to store, and the file's label: the join of its entries
 */
export async function entriesAfterWrite(
  read: StoreReader,
  write: {
    readonly workspace: WorkspaceId;
    readonly path: string;
    readonly text: string;
    readonly label: Label;
    readonly at: number;
  },
  before: readonly MemoryEntry[],
): Promise<{ readonly rows: readonly EntryLabelRow[]; readonly label: Label }> {
  const kept = new Map(before.map((entry) => [entry.text, entry.label]));
  const { workspace, path, at } = write;
  const entries = splitEntries(write.text);
  const known = await knownLabels(read, workspace, entries);
  const rows = new Map<string, EntryLabelRow>();
  for (const { text } of entries) {
    const hash = sha256(text);
    const { here, elsewhere } = lookUp(known, path, text);
    const bounds = [...(here === undefined ? [] : [here]), ...elsewhere];
    rows.set(hash, { workspace, path, hash, label: kept.get(text) ?? join(write.label, ...bounds), at });
  }
  const labels = [...rows.values()].map((row) => row.label);
  return { rows: [...rows.values()], label: labels.length === 0 ? write.label : join(...labels) };
}

/** Rows by the digest of an entry's words, in any file of the workspace. */
async function knownLabels(
  read: StoreReader,
  workspace: WorkspaceId,
  entries: readonly BareEntry[],
): Promise<ReadonlyMap<string, readonly EntryLabelRow[]>> {
  const hashes = [...new Set(entries.map(({ text }) => sha256(text)))];
  const found = new Map<string, EntryLabelRow[]>();
  for (let from = 0; from < hashes.length; from += LOOKED_UP_AT_ONCE) {
    const some = hashes.slice(from, from + LOOKED_UP_AT_ONCE);
    for (const row of await read.find('label_entry', { workspace, hash: { in: some } }))
      found.set(row.hash, [...(found.get(row.hash) ?? []), row]);
  }
  return found;
}

/** Far below SQLite's limit of bound values. */
const LOOKED_UP_AT_ONCE = 500;

function lookUp(
  known: ReadonlyMap<string, readonly EntryLabelRow[]>,
  path: string,
  text: string,
): { readonly here: Label | undefined; readonly elsewhere: readonly Label[] } {
  const rows = known.get(sha256(text)) ?? [];
  return {
    here: rows.find((row) => row.path === path)?.label,
    elsewhere: rows.filter((row) => row.path !== path).map((row) => row.label),
  };
}
