// What the tests of the Markdown side share: an open store with a workspace, its files, and rows that are plausible.
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import {
  type Context,
  type ContextId,
  type Conversation,
  type CrashPoints,
  type Label,
  type Message,
  makeLabel,
  type RunId,
  type TableName,
  type Tables,
  type Workspace,
  type WorkspaceFiles,
  type WorkspaceId,
} from '@agent-runtime/domain';
import { crashPoints, type ManualClock } from '@agent-runtime/testkit';
import { makeProjector, type Projector } from '../src/projector/index.ts';
import { makeWorkspaceFiles } from '../src/workspace/index.ts';
import { draft, type Fixture, openFixture, userId } from './fixtures.ts';

export const W = 'garden' as WorkspaceId; // safe: a slug
export const GENERAL = 'memory-general' as ContextId; // safe: a slug
export const OWNER = userId('owner');
/** Labels as the workspace's own rules give them. */
export const STAFF = makeLabel(2, [`ws:${W}`]);
export const MEMBER = makeLabel(1, [`ws:${W}`]);
export const OUTSIDE = makeLabel(0, [`ws:${W}`]);

export function workspaceRow(more: Partial<Workspace> = {}): Workspace {
  return {
    id: W,
    title: 'Garden',
    kind: 'community',
    owner: OWNER,
    outsideEdits: 'staff',
    settings: {},
    createdAt: 1,
    ...more,
  };
}

export function contextRow(more: Partial<Context> = {}): Context {
  return {
    id: GENERAL,
    workspace: W,
    kind: 'channel',
    openness: 'open',
    connector: 'memory',
    account: 'demo',
    channel: 'general',
    owner: OWNER,
    settings: {},
    createdAt: 1,
    ...more,
  };
}

export function conversationRow(more: Partial<Conversation> = {}): Conversation {
  return {
    id: 'conv_00000001' as Conversation['id'], // safe: a test's own id
    workspace: W,
    context: GENERAL,
    key: 'memory:general',
    isOpen: true,
    createdAt: 1_000,
    lastAt: 1_000,
    ...more,
  };
}

/** Message number `seq`, said one second after the one before it on 2026-11-21. */
export function messageRow(seq: number, more: Partial<Message> = {}): Message {
  return {
    id: `mesg_${String(seq).padStart(8, '0')}` as Message['id'], // safe: a test's own id
    seq,
    conversation: conversationRow().id,
    workspace: W,
    context: GENERAL,
    direction: 'in',
    sender: 'user_ada',
    senderName: 'Ada',
    text: `message ${seq}`,
    label: makeLabel(1, [`ctx:${W}/${GENERAL}`]),
    isPromptable: true,
    at: Date.UTC(2026, 10, 21, 9, 0, seq),
    ...more,
  };
}

export function runId(name: string): RunId {
  return `run_${name}` as RunId; // safe: a test's own id
}

export interface World extends Fixture {
  readonly files: WorkspaceFiles;
  readonly root: string;
  /** Writes a file as somebody with an editor would. */
  edit(path: string, text: string | Uint8Array): void;
  /** Bytes on the disk. */
  onDisk(path: string): string;
  fullPath(path: string): string;
  /** The same data as another process would open it: nothing cached, other ways to die. */
  again(crash: CrashPoints): WorkspaceFiles;
  projector(crash?: CrashPoints): Projector;
  insert<T extends TableName>(table: T, ...rows: readonly Tables[T][]): Promise<void>;
}

export interface WorldInput {
  readonly dataDir?: string;
  readonly clock?: ManualClock;
  readonly crash?: CrashPoints;
  readonly workspace?: Partial<Workspace>;
  readonly limits?: { readonly maxFileBytes?: number; readonly maxFiles?: number };
}

/** An open store whose workspace `garden` exists, in its table and as a folder. */
export async function openWorld(input: WorldInput = {}): Promise<World> {
  const fixture = await openFixture({
    ...(input.dataDir === undefined ? {} : { dataDir: input.dataDir }),
    ...(input.clock === undefined ? {} : { clock: input.clock }),
  });
  const { store, audit, paths, clock, log, projectorKey } = fixture;
  const root = paths.workspaces;
  mkdirSync(join(root, W), { recursive: true });
  const fullPath = (path: string): string => join(root, W, path);
  const filesWith = (crash: CrashPoints): WorkspaceFiles =>
    makeWorkspaceFiles({
      root,
      goodFolder: join(paths.appliance, 'good'),
      macKey: projectorKey,
      store,
      clock,
      crash,
      log,
      ...input.limits,
    });
  const insert: World['insert'] = (table, ...rows) =>
    store.commit(draft('workspace.write'), async (tx) => {
      for (const row of rows) await tx.insert(table, row);
    });
  if ((await store.read.get('workspace', { id: W })) === undefined)
    await insert('workspace', workspaceRow(input.workspace));
  return {
    ...fixture,
    root,
    files: filesWith(input.crash ?? crashPoints.none()),
    again: filesWith,
    fullPath,
    insert,
    edit: (path, text) => {
      mkdirSync(dirname(fullPath(path)), { recursive: true });
      writeFileSync(fullPath(path), text);
    },
    onDisk: (path) => readFileSync(fullPath(path), 'utf8'),
    projector: (crash = crashPoints.none()) =>
      makeProjector({
        read: store.read,
        audit,
        root,
        cursorFile: join(paths.appliance, 'projector.json'),
        macKey: projectorKey,
        crash,
        log,
      }),
  };
}

/** A write by the appliance with everything said but path, text and label. */
export function writing(path: string, text: string, label: Label, expected: 'absent' | `sha256:${string}`) {
  return {
    workspace: W,
    path,
    text,
    label,
    expected,
    audit: draft('workspace.write', { subject: path }),
  };
}
