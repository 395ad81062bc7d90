import type { AuditDraft } from '../audit/index.ts';
import type { Digest, WorkspaceId } from '../base/index.ts';
import type { Label } from '../label/index.ts';
import type { StoreTx } from './store.ts';

export interface FileEntry {
  /** Relative to the workspace, forward slashes. */
  readonly path: string;
  readonly sizeBytes: number;
  readonly modifiedAt: number;
}

/** One version of a file with what is known of its trust and its readers. */
export interface LabelledFile {
  readonly path: string;
  /** UTF-8, as on disk. */
  readonly text: string;
  readonly hash: Digest;
  readonly label: Label;
}

/** An entry of a memory file (a list item or a paragraph) with its own label. */
export interface MemoryEntry {
  readonly text: string;
  readonly label: Label;
  /** First line in the file, from 1. */
  readonly line: number;
}

/** Markdown of a workspace. Guards: real path inside the workspace, no symlink or hard link, size cap, valid UTF-8. */
export interface WorkspaceFiles {
  /**
   * Markdown files, sorted by path; what the guards refuse is left out.
   * @param folder only what lies below this folder of the workspace; a missing or linked one holds nothing
   */
  list(workspace: WorkspaceId, folder?: string): Promise<readonly FileEntry[]>;
  /** @throws AppError workspace.file.missing · workspace.path.denied · workspace.file.invalid (too large, not UTF-8) */
  read(workspace: WorkspaceId, path: string): Promise<LabelledFile>;
  /**
   * The version of a control file that counts: under `outside_edits: review` the last approved one, else the present one.
   * @returns undefined when there is none
   */
  readControl(workspace: WorkspaceId, path: string): Promise<LabelledFile | undefined>;
  /** Entries of a memory file with their labels; empty when the file does not exist. */
  readMemory(workspace: WorkspaceId, path: string): Promise<readonly MemoryEntry[]>;
  /**
   * Replaces or creates a file: label rows first (in `commit` with the audit), then temp file, fsync, rename, fsync of the folder.
   * Writing the bytes that are already there is a success, so that a repeat after a crash is harmless.
   * @param expected hash that must be there now, or `absent`
   * @param isRaised a person with the right to it vouches for this label; else bytes that are known in the workspace stay at most what they are
   * @param also     further writes of the same transaction as the label row
   * @throws AppError workspace.file.conflict when something else is there
   */
  write(input: {
    readonly workspace: WorkspaceId;
    readonly path: string;
    readonly text: string;
    readonly label: Label;
    readonly expected: Digest | 'absent';
    readonly audit: AuditDraft;
    readonly isRaised?: boolean | undefined;
    readonly also?: (tx: StoreTx) => Promise<void>;
  }): Promise<{ readonly hash: Digest }>;
}
