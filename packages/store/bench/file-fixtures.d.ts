import {
  type Context,
  type ContextId,
  type Conversation,
  type CrashPoints,
  type Label,
  type Message,
  type RunId,
  type TableName,
  type Tables,
  type Workspace,
  type WorkspaceFiles,
  type WorkspaceId,
} from '@agent-runtime/domain';
import { type ManualClock } from '@agent-runtime/testkit';
import { type Projector } from '../src/projector/index.ts';
import { type Fixture } from './fixtures.ts';
export declare const W: WorkspaceId;
export declare const GENERAL: ContextId;
export declare const OWNER: import('@agent-runtime/domain').UserId;
/** Labels as the workspace's own rules give them. */
export declare const STAFF: Label;
export declare const MEMBER: Label;
export declare const OUTSIDE: Label;
export declare function workspaceRow(more?: Partial<Workspace>): Workspace;
export declare function contextRow(more?: Partial<Context>): Context;
export declare function conversationRow(more?: Partial<Conversation>): Conversation;
/** Message number `seq`, said one second after the one before it on 2026-11-21. */
export declare function messageRow(seq: number, more?: Partial<Message>): Message;
export declare function runId(name: string): RunId;
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
  readonly limits?: {
    readonly maxFileBytes?: number;
    readonly maxFiles?: number;
  };
}
/** An open store whose workspace `garden` exists, in its table and as a folder. */
export declare function openWorld(input?: WorldInput): Promise<World>;
/** A write by the appliance with everything said but path, text and label. */
export declare function writing(
  path: string,
  text: string,
  label: Label,
  expected: 'absent' | `sha256:${string}`,
): {
  workspace: WorkspaceId;
  path: string;
  text: string;
  label: Label;
  expected: 'absent' | `sha256:${string}`;
  audit: import('@agent-runtime/domain').AuditDraft;
};
