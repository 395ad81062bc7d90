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

/** Entries with their labels; one that is not known takes the file's. */
export async function labelledEntries(
  read: StoreReader,
  file: {
    readonly workspace: WorkspaceId;
    readonly path: string;
    readonly text: string;
    readonly label: Label;
  },
): Promise<readonly MemoryEntry[]> {
  const rows = await read.find('label_entry', { workspace: file.workspace, path: file.path });
  const known = new Map(rows.map((row) => [row.hash, row.label]));
  return splitEntries(file.text).map((entry) => ({
    ...entry,
    label: known.get(sha256(entry.text)) ?? file.label,
  }));
}

/**
 * Labels after a write: entries that were there keep theirs, new ones take the write's.
 * @returns rows to store, and the file's label: the join of its entries
 */
export function entriesAfterWrite(
  write: {
    readonly workspace: WorkspaceId;
    readonly path: string;
    readonly text: string;
    readonly label: Label;
    readonly at: number;
  },
  before: readonly MemoryEntry[],
): { readonly rows: readonly EntryLabelRow[]; readonly label: Label } {
  const kept = new Map(before.map((entry) => [entry.text, entry.label]));
  const { workspace, path, at } = write;
  const rows = new Map<string, EntryLabelRow>();
  for (const { text } of splitEntries(write.text)) {
    const hash = sha256(text);
    rows.set(hash, { workspace, path, hash, label: kept.get(text) ?? write.label, at });
  }
  const labels = [...rows.values()].map((row) => row.label);
  return { rows: [...rows.values()], label: labels.length === 0 ? write.label : join(...labels) };
}
