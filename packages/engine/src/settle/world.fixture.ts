import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  type Approval,
  type Context,
  type ContextId,
  type Conversation,
  type Digest,
  decide,
  type Effect,
  type Grant,
  type JsonObject,
  type Label,
  makeLabel,
  makeRedactor,
  type Principal,
  type Role,
  type Scope,
  type Search,
  type Store,
  type TableName,
  type Tables,
  type Task,
  type UserId,
  type Where,
  type WorkspaceId,
} from '@agent-runtime/domain';
import { type OpenStore, openMemoryStore } from '@agent-runtime/store';
import {
  crashPoints,
  type ManualClock,
  type MemoryPanic,
  manualClock,
  memoryLiveFeed,
  memoryPanic,
  noMetrics,
  recordingLogger,
  seededIds,
} from '@agent-runtime/testkit';
import { allTools } from '@agent-runtime/tools';
import { afterEach, beforeEach } from 'vitest';
import type { Actor, EngineConfig, EngineDeps } from '../api.ts';
import { approve } from '../approval/index.ts';
import { type Proposal, type ProposeInput, policyRules, propose, replyEffect } from '../effect/index.ts';
import { makeOutbox, type Outbox } from './outbox.ts';
import { memoryFiles, type ScriptedConnector, scriptedConnector } from './outside.fixture.ts';

export const WORKSPACE = 'acme' as WorkspaceId; // safe: a slug
export const ORIGIN = 'ops' as ContextId; // safe: a slug
export const BOSS = 'user_00000000000000000001' as UserId; // safe: alphabet of ids
export const OPERATOR = 'user_00000000000000000002' as UserId; // safe: alphabet of ids
export const SECOND = 'user_00000000000000000003' as UserId; // safe: alphabet of ids
export const MEMBER = 'user_00000000000000000004' as UserId; // safe: alphabet of ids

export const HERE: Scope = { kind: 'context', workspace: WORKSPACE, context: ORIGIN };

export function person(user: UserId): Principal {
  return { kind: 'user', user };
}

export function signed(user: UserId): Actor {
  return { principal: person(user), via: 'signed' };
}

export function inChat(user: UserId): Actor {
  return { principal: person(user), via: 'chat' };
}

/** Label of a member's words in the origin. */
export const HERE_LABEL: Label = makeLabel(1, [`ctx:${WORKSPACE}/${ORIGIN}`]);

const POST = must(allTools.find((spec) => spec.name === 'post_message'));
const WRITE = must(allTools.find((spec) => spec.name === 'md_write'));

export const CONFIG: EngineConfig = {
  maxAttempts: 3,
  llmTimeoutMs: 60_000,
  llmMaxBytes: 1_000_000,
  deliverTimeoutMs: 10_000,
  deliverBackoffMs: 1_000,
  deliverBackoffMaxMs: 8_000,
  deliverMaxAttempts: 4,
  sweepMs: 60_000,
  promptTokens: 8_000,
  maxPromptChars: 40_000,
};

export interface World {
  readonly deps: EngineDeps;
  readonly clock: ManualClock;
  readonly panic: MemoryPanic;
  readonly chat: ScriptedConnector;
  readonly files: ReturnType<typeof memoryFiles>;
  readonly context: Context;
  readonly task: Task;
  readonly opened: OpenStore;
  /** The same data and outside under a new process: older epochs are fenced off. */
  restart(overrides?: Partial<EngineDeps>): Promise<World>;
  effect(id: string): Promise<Effect>;
  approval(id: string): Promise<Approval>;
  /** Actions of the log about a subject, oldest first. */
  actions(subject: string): Promise<readonly string[]>;
  grant(user: UserId, role: Role, scope?: Scope): Promise<void>;
  ungrant(user: UserId): Promise<void>;
  close(): Promise<void>;
}

interface Carried {
  readonly clock: ManualClock;
  readonly panic: MemoryPanic;
  readonly chat: ScriptedConnector;
  readonly files: ReturnType<typeof memoryFiles>;
  readonly ids: EngineDeps['ids'];
  readonly dataDir: string;
}

/** The world of the running test; `restart` replaces it. */
export interface WorldHolder {
  world: World;
  restart(overrides?: Partial<EngineDeps>): Promise<World>;
}

/** A fresh world for each test of a file. */
export function useWorld(overrides: Partial<EngineDeps> = {}): WorldHolder {
  let folder = '';
  let held: World | undefined;
  beforeEach(async () => {
    folder = mkdtempSync(join(tmpdir(), 'engine-'));
    held = await makeWorld(folder, overrides);
  });
  afterEach(async () => {
    await held?.close();
    rmSync(folder, { recursive: true, force: true });
  });
  return {
    get world() {
      return must(held);
    },
    set world(next) {
      held = next;
    },
    restart: async (again) => {
      held = await must(held).restart(again);
      return held;
    },
  };
}

/** Posts of one effect that arrived outside, without cards and notices. */
export function arrivedOf(world: World, effect: string): readonly JsonObject[] {
  return world.chat.sent.filter((sent) => sent.effectId === effect).map((sent) => sent.payload);
}

/** Changes stored rows behind the product's back, as somebody with the database file could. */
export async function tamper<T extends TableName>(
  world: World,
  table: T,
  where: Where<Tables[T]>,
  patch: Partial<Tables[T]>,
): Promise<void> {
  await world.deps.store.commit(TEST_AUDIT, async (tx) => {
    if ((await tx.update(table, where, patch)) === 0) throw new Error('nothing to tamper with');
  });
}

/** A workspace `acme`, its closed context `ops` and its channel `news`, an admin, two operators, a member, one task. */
export async function makeWorld(dataDir: string, overrides: Partial<EngineDeps> = {}): Promise<World> {
  const clock = manualClock();
  const carried = {
    clock,
    panic: memoryPanic(),
    chat: scriptedConnector(),
    ids: seededIds(),
    dataDir,
  };
  const opened = await openMemoryStore({ dataDir, clock, ...crashOf(overrides) });
  const files = memoryFiles(opened.store);
  await seed(opened.store, clock.nowMs());
  return worldOf({ ...carried, files }, opened, overrides);
}

/** The store passes the same points as the engine, so that one schedule of deaths covers both. */
function crashOf(overrides: Partial<EngineDeps>): { readonly crash?: EngineDeps['crash'] } {
  return overrides.crash === undefined ? {} : { crash: overrides.crash };
}

async function worldOf(carried: Carried, opened: OpenStore, overrides: Partial<EngineDeps>): Promise<World> {
  const { clock, panic, chat, files } = carried;
  const { store } = opened;
  const deps: EngineDeps = {
    store,
    journal: opened.journal,
    audit: opened.audit,
    files,
    search: NO_SEARCH,
    providers: [],
    routes: [],
    tools: allTools,
    connectors: [chat, scriptedConnector('cli', 'pull')],
    panic,
    clock,
    ids: carried.ids,
    log: recordingLogger(),
    metrics: noMetrics,
    live: memoryLiveFeed(),
    crash: crashPoints.none(),
    redactor: makeRedactor(() => []),
    config: CONFIG,
    ...overrides,
  };
  const context = must(await store.read.get('context', { id: ORIGIN }));
  const [task] = await store.read.find('task', {});
  return {
    deps,
    clock,
    panic,
    chat,
    files,
    context,
    task: must(task),
    opened,
    restart: async (again = {}) => {
      await opened.close();
      const reopened = await openMemoryStore({ dataDir: carried.dataDir, clock, ...crashOf(again) });
      // The files outlive the process; only the store behind their label rows is new.
      const kept = memoryFiles(reopened.store);
      for (const [path, text] of files.texts) kept.texts.set(path, text);
      for (const [path, label] of files.labels) kept.labels.set(path, label);
      return worldOf({ ...carried, files: kept }, reopened, again);
    },
    effect: async (id) => must(await store.read.get('effect', { id: id as Effect['id'] })), // safe: only compared
    approval: async (id) => must(await store.read.get('approval', { id: id as Approval['id'] })), // safe: only compared
    actions: async (subject) =>
      (await opened.audit.tail(1_000, { subject })).map((event) => event.action).reverse(),
    grant: async (user, role, scope = { kind: 'all' }) => {
      await store.commit(TEST_AUDIT, async (tx) =>
        tx.insert('identity_grant', grantOf(deps, user, role, scope)),
      );
    },
    ungrant: async (user) => {
      await store.commit(TEST_AUDIT, async (tx) => {
        await tx.remove('identity_grant', { principal: user });
      });
    },
    close: () => opened.close(),
  };
}

export const TEST_AUDIT = { action: 'test.change', actor: 'test', subject: 'world' };

function grantOf(deps: Pick<EngineDeps, 'ids' | 'clock'>, user: UserId, role: Role, scope: Scope): Grant {
  return {
    id: deps.ids.make('grant'),
    principal: user,
    role,
    scope,
    grantedBy: 'test',
    createdAt: deps.clock.nowMs(),
  };
}

async function seed(store: Store, nowMs: number): Promise<void> {
  const ids = seededIds(99);
  const people: readonly (readonly [UserId, string, Role])[] = [
    [BOSS, 'boss', 'admin'],
    [OPERATOR, 'olga', 'operator'],
    [SECOND, 'otto', 'operator'],
    [MEMBER, 'mia', 'member'],
  ];
  const conversation: Conversation = {
    id: ids.make('conversation'),
    workspace: WORKSPACE,
    context: ORIGIN,
    key: 'ops',
    isOpen: true,
    createdAt: nowMs,
    lastAt: nowMs,
  };
  await store.commit(TEST_AUDIT, async (tx) => {
    for (const [id, name, role] of people) {
      await tx.insert('identity_user', { id, name, displayName: name, isActive: true, createdAt: nowMs });
      await tx.insert('identity_grant', grantOf({ ids, clock: fixed(nowMs) }, id, role, { kind: 'all' }));
    }
    await tx.insert('workspace', {
      id: WORKSPACE,
      title: 'Acme',
      kind: 'community',
      owner: BOSS,
      outsideEdits: 'staff',
      settings: {},
      createdAt: nowMs,
    });
    await tx.insert('context', contextRow(ORIGIN, 'ops-channel', nowMs));
    await tx.insert('context', contextRow('news' as ContextId, 'news-channel', nowMs)); // safe: a slug
    await tx.insert('context_conversation', conversation);
    await tx.insert('task', {
      id: ids.make('task'),
      kind: 'chat',
      title: 'a task',
      workspace: WORKSPACE,
      context: ORIGIN,
      conversation: conversation.id,
      requester: person(MEMBER),
      requesterName: 'mia',
      door: 'chat',
      createdAt: nowMs,
    });
  });
}

export function contextRow(id: ContextId, channel: string, nowMs: number): Context {
  return {
    id,
    workspace: WORKSPACE,
    kind: 'channel',
    openness: 'closed',
    connector: 'chat',
    account: 'test',
    channel,
    owner: BOSS,
    settings: {},
    createdAt: nowMs,
  };
}

function fixed(nowMs: number): EngineDeps['clock'] {
  return { nowMs: () => nowMs, monotonicMs: () => 0, sleep: async () => {} };
}

const NO_SEARCH: Search = { level: 'none', search: async () => [] };

export function must<T>(value: T | undefined): T {
  if (value === undefined) throw new Error('the world has no such thing');
  return value;
}

/** Proposes a post as a run of the member would, with the decision that policy really takes. */
export async function proposePost(
  world: World,
  text: string,
  more: Partial<ProposeInput> & { readonly channel?: string } = {},
): Promise<Proposal> {
  const { channel = 'news-channel', ...input } = more;
  const act = { kind: 'message', connector: world.chat, channel, draft: { text } } as const;
  return propose(world.deps, {
    act,
    context: world.context,
    task: world.task,
    tool: 'post_message',
    requester: person(MEMBER),
    label: HERE_LABEL,
    decision: await askPost(world, input.label ?? HERE_LABEL),
    ...input,
  });
}

/** Proposes new content for a file. */
export async function proposeWrite(
  world: World,
  path: string,
  text: string,
  expected: Digest | 'absent' = 'absent',
  label = makeLabel(0, HERE_LABEL.audience),
): Promise<Proposal> {
  const spec = WRITE;
  const rules = await policyRules(world.deps, world.deps.store.read, ORIGIN);
  const decision = decide(
    {
      action: 'tool.call',
      principal: person(MEMBER),
      tool: spec,
      target: { kind: 'file', path, access: 'write' },
      label,
      pendingOfTask: 0,
      wasKindDenied: false,
    },
    rules,
  );
  return propose(world.deps, {
    act: { kind: 'write', path, text, expected },
    context: world.context,
    task: world.task,
    tool: 'md_write',
    requester: person(MEMBER),
    label,
    decision,
  });
}

export async function askPost(world: World, label: Label) {
  const rules = await policyRules(world.deps, world.deps.store.read, ORIGIN);
  return decide(
    {
      action: 'tool.call',
      principal: person(MEMBER),
      tool: POST,
      target: { kind: 'message', connector: 'chat', channel: 'news-channel' },
      label,
      reach: {
        hasNewRecipient: false,
        isReplyToParticipants: false,
        isKnownChannel: true,
        isBackToSource: false,
        hasAttachment: false,
      },
      pendingOfTask: 0,
      wasKindDenied: false,
    },
    rules,
  );
}

/** An approved post, ready to leave. */
export async function approvedPost(world: World, text: string, by = OPERATOR): Promise<Effect['id']> {
  const { effect, approval } = await proposePost(world, text);
  await approve(world.deps, approval.id, effect.digest, signed(by));
  return effect.id;
}

/** An answer to the origin, inserted as a run would. */
export async function insertReply(world: World, text: string): Promise<Effect['id']> {
  const { effect } = replyEffect(world.deps, {
    context: world.context,
    requester: person(MEMBER),
    draft: { text },
    label: HERE_LABEL,
    trustedUrls: new Set(),
    kind: 'reply',
    task: world.task.id,
  });
  await world.deps.store.commit(TEST_AUDIT, (tx) => tx.insert('effect', effect));
  return effect.id;
}

/** Runs an outbox until nothing more is due at this instant. */
export async function runOutbox(world: World): Promise<Outbox> {
  const outbox = makeOutbox(world.deps);
  await outbox.start();
  await outbox.idle();
  return outbox;
}
