import { closeSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import {
  AppError,
  type Clock,
  type CrashPoints,
  classifyPath,
  type Digest,
  defaultAudienceOf,
  INTEGRITY,
  join as joinLabels,
  type LabelledFile,
  type Logger,
  parseContextId,
  type Store,
  type StoreTx,
  sha256,
  type Workspace,
  type WorkspaceFiles,
  type WorkspaceId,
} from '@agent-runtime/domain';
import { type GoodVersions, labelOf, makeGoodVersions } from '../label/index.ts';
import { entriesAfterWrite, isMemoryPath, labelledEntries } from '../memory/index.ts';
import { isRecordPath, labelOfRecords } from '../projector/record-label.ts';
import { writeAtomically } from './atomic-write.ts';
import { assertPath, assertPlainFolders, openGuarded, workspaceFolder } from './guard.ts';
import { walkMarkdown } from './walk.ts';

export interface FilesInput {
  /** Folder that holds one folder per workspace. */
  readonly root: string;
  /** Folder for kept versions of control files. */
  readonly goodFolder: string;
  /** Key of the projector's MACs: files that only it may write are labelled by their records. */
  readonly macKey: Uint8Array;
  readonly store: Store;
  readonly clock: Clock;
  readonly crash: CrashPoints;
  readonly log: Logger;
  /** 2 MiB unless said. */
  readonly maxFileBytes?: number;
  /** Markdown files of one workspace that a listing shows, 50,000 unless said. */
  readonly maxFiles?: number;
}

/** Where a workspace's own settings stand. */
export const WORKSPACE_FILE = 'workspace.md';

const MAX_FILE_BYTES = 2 * 1024 * 1024;
const MAX_FILES = 50_000;
const MAX_DEPTH = 16;
/** Texts kept in memory, so that a turn does not read its guidance files again. */
const CACHED_FILES = 500;

interface Content {
  readonly version: string;
  readonly text: string;
  readonly hash: Digest;
}

/** The Markdown of all workspaces, guarded and labelled. */
export function makeWorkspaceFiles(input: FilesInput): WorkspaceFiles {
  const { store, clock, crash, log } = input;
  const maxFileBytes = input.maxFileBytes ?? MAX_FILE_BYTES;
  const good: GoodVersions = makeGoodVersions(input.goodFolder, crash);
  const cache = new Map<string, Content>();
  const writes = { nonce: 0 };

  async function contentOf(folder: string, path: string): Promise<Content> {
    const file = await openGuarded(folder, path, maxFileBytes);
    try {
      const key = join(folder, path);
      const known = cache.get(key);
      if (known?.version === file.version) return known;
      const bytes = readFileSync(file.descriptor);
      const text = decode(bytes, path);
      const content = { version: file.version, text, hash: sha256(bytes) };
      cache.delete(key);
      cache.set(key, content);
      const oldest = cache.size > CACHED_FILES ? cache.keys().next().value : undefined;
      if (oldest !== undefined) cache.delete(oldest);
      return content;
    } finally {
      closeSync(file.descriptor);
    }
  }

  async function read(id: WorkspaceId, path: string): Promise<LabelledFile> {
    const workspace = await workspaceOf(store, id);
    const { text, hash } = await contentOf(await workspaceFolder(input.root, id), path);
    const label = isRecordPath(path)
      ? labelOfRecords(text, input.macKey, defaultAudienceOf(id, path))
      : await labelOf(store, () => clock.nowMs(), { workspace, path, hash, text });
    // Bytes that count now, or may be approved next, must still be at hand when the file has changed again.
    if (isControl(path) && (workspace.outsideEdits === 'review' || label.integrity >= INTEGRITY.staff))
      await good.keep(hash, text);
    return { path, text, hash, label };
  }

  async function readIfThere(id: WorkspaceId, path: string): Promise<LabelledFile | undefined> {
    try {
      return await read(id, path);
    } catch (thrown) {
      if (thrown instanceof AppError && thrown.kind === 'missing') return undefined;
      throw thrown;
    }
  }

  async function readControl(id: WorkspaceId, path: string): Promise<LabelledFile | undefined> {
    const present = await readIfThere(id, path);
    const workspace = await workspaceOf(store, id);
    if (workspace.outsideEdits === 'staff') return present;
    const row = await store.read.get('label_file', { workspace: id, path, isGood: true });
    if (row === undefined) return undefined;
    if (present?.hash === row.hash) return present;
    const text = await good.read(row.hash);
    return text === undefined ? undefined : { path, text, hash: row.hash, label: row.label };
  }

  async function write(draft: Parameters<WorkspaceFiles['write']>[0]): Promise<{ readonly hash: Digest }> {
    const { workspace: id, path, text } = draft;
    assertPath(path);
    if (Buffer.byteLength(text) > maxFileBytes) throw tooLong(path, maxFileBytes);
    if (!text.isWellFormed()) throw notText(path);
    const folder = await workspaceFolder(input.root, id);
    await assertPlainFolders(folder, path.split('/').slice(0, -1), 'write');
    const present = await readIfThere(id, path);
    const hash = sha256(text);
    if (present !== undefined && present.hash === hash && draft.expected !== hash) {
      // A crash came between the rename and the caller's record: the bytes are there, so it is done.
      return { hash };
    }
    if ((present?.hash ?? 'absent') !== draft.expected) throw changed(path);
    if (isControl(path)) await good.keep(hash, text);
    await store.commit(draft.audit, async (tx) => {
      await recordLabels(tx, { ...draft, hash, at: clock.nowMs() }, present);
      await draft.also?.(tx);
    });
    if (present?.hash === hash) return { hash };
    // Another writer may have come in during the commit; the last look is as close to the rename as a file system allows.
    await assertPlainFolders(folder, path.split('/').slice(0, -1), 'write');
    if (((await readIfThere(id, path))?.hash ?? 'absent') !== draft.expected) throw changed(path);
    writes.nonce += 1;
    await writeAtomically(join(folder, path), text, { crash, nonce: writes.nonce });
    // Seen at once: an edit by others is then judged from these bytes on, not from the ones before.
    await readIfThere(id, path);
    return { hash };
  }

  async function recordLabels(
    tx: StoreTx,
    draft: Parameters<WorkspaceFiles['write']>[0] & { readonly hash: Digest; readonly at: number },
    present: LabelledFile | undefined,
  ): Promise<void> {
    const { workspace, path, hash, at } = draft;
    const before =
      present === undefined || !isMemoryPath(path)
        ? []
        : await labelledEntries(tx, { workspace, ...present });
    const memory = isMemoryPath(path) ? await entriesAfterWrite(tx, draft, before) : undefined;
    for (const row of memory?.rows ?? []) {
      await tx.remove('label_entry', { workspace, path, hash: row.hash });
      await tx.insert('label_entry', row);
    }
    // The label belongs to the bytes; the version becomes current when it is first read, so a rename that never happens harms nothing.
    const known = draft.isRaised === true ? [] : await tx.find('label_file', { workspace, hash });
    await tx.remove('label_file', { workspace, path, hash });
    const label = joinLabels(memory?.label ?? draft.label, ...known.map((row) => row.label));
    await tx.insert('label_file', {
      workspace,
      path,
      hash,
      label,
      isCurrent: present?.hash === hash,
      isGood: false,
      by: draft.audit.actor,
      at,
    });
    if (label.integrity >= INTEGRITY.staff) {
      await tx.update('label_file', { workspace, path, isGood: true }, { isGood: false });
      await tx.update('label_file', { workspace, path, hash }, { isGood: true });
    }
  }

  return {
    read,
    readControl,
    write,
    list: async (id, below = '') => {
      const folder = await workspaceFolder(input.root, id);
      if (below !== '' && !(await isPlainFolder(folder, below))) return [];
      const limits = { maxFiles: input.maxFiles ?? MAX_FILES, maxDepth: MAX_DEPTH, maxFileBytes };
      return walkMarkdown({ folder, below }, limits, (path, why) =>
        log.debug({ room: 'workspace', workspace: id, path, why }, 'a file was left out'),
      );
    },
    readMemory: async (id, path) => {
      const file = await readIfThere(id, path);
      return file === undefined ? [] : labelledEntries(store.read, { workspace: id, ...file });
    },
  };
}

/** A link on the way, or nothing there, is no folder to list. */
async function isPlainFolder(folder: string, below: string): Promise<boolean> {
  try {
    await assertPlainFolders(folder, below.split('/'), 'read');
    return true;
  } catch (thrown) {
    if (thrown instanceof AppError && (thrown.kind === 'missing' || thrown.kind === 'denied')) return false;
    throw thrown;
  }
}

/** Files that steer the model or hold settings. Which context asks makes no difference to that. */
function isControl(path: string): boolean {
  return classifyPath(path, ANY_CONTEXT) === 'control' || path === WORKSPACE_FILE;
}

const ANY_CONTEXT = parseContextId('any');

async function workspaceOf(store: Store, id: WorkspaceId): Promise<Workspace> {
  const workspace = await store.read.get('workspace', { id });
  if (workspace !== undefined) return workspace;
  throw new AppError({
    code: 'workspace.id.missing',
    kind: 'missing',
    message: `There is no workspace ${id}, or not for you.`,
  });
}

function decode(bytes: Uint8Array, path: string): string {
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    throw notText(path);
  }
}

function notText(path: string): AppError {
  return new AppError({
    code: 'workspace.file.invalid',
    kind: 'invalid',
    message: `${path.slice(0, 120)} is not valid UTF-8 text.`,
  });
}

function tooLong(path: string, maxBytes: number): AppError {
  return new AppError({
    code: 'workspace.file.invalid',
    kind: 'invalid',
    message: `${path.slice(0, 120)} would be larger than ${Math.floor(maxBytes / 1024)} KiB.`,
  });
}

function changed(path: string): AppError {
  return new AppError({
    code: 'workspace.file.conflict',
    kind: 'conflict',
    message: `${path.slice(0, 120)} has changed since it was read. Read it again.`,
  });
}
