import type { ContextId, UserId, WorkspaceId } from '../base/index.ts';
import { type Clearance, clearanceOfContext, type OutsideEdits } from '../label/index.ts';

/** Limits and preferences for calls of a model. */
export interface ModelSettings {
  /** Route names allowed, in order of preference; empty: whatever the appliance has. */
  readonly allowed: readonly string[];
  readonly temperature?: number | undefined;
  readonly maxOutputTokens?: number | undefined;
  /** Prompt tokens a turn may use. */
  readonly maxPromptTokens?: number | undefined;
}

export interface QueueSettings {
  /** Waiting messages per conversation before new ones are refused. */
  readonly maxQueued: number;
  /** Total time of a run, milliseconds. */
  readonly runDeadlineMs: number;
  /** LLM calls in one run. */
  readonly maxSteps: number;
  /** A conversation rests this long, milliseconds, then a fresh one begins. */
  readonly idleRotationMs: number;
}

/** Caps on spending, per day. 0 means none may be spent; undefined means no cap. */
export interface BudgetSettings {
  readonly tokensPerDay?: number | undefined;
  readonly tokensPerSenderPerDay?: number | undefined;
}

export type Guests = 'off' | 'ask';

/** `all`: also notices, progress and what was understood · `answers`: nothing but the agent's own answers and what people ask for. */
export type Output = 'all' | 'answers';

/**
 * Saying first what was understood and will be done. `tasks`: for /task · `confirm`: for /task, which then waits for an OK · `off`.
 */
export type Acknowledge = 'off' | 'tasks' | 'confirm';

/** Places of a guild or group that a workspace takes by itself when they are first seen; always as open contexts. */
export interface Binding {
  readonly connector: string;
  readonly account: string;
  /** Platform id of the guild or group. */
  readonly group: string;
}

/** Is it the same guild or group of the same account? */
export function isSameBinding(a: Binding, b: Binding): boolean {
  return a.connector === b.connector && a.account === b.account && a.group === b.group;
}

/** What a context may say for itself; every field absent is inherited from its workspace. */
export interface ContextSettings {
  readonly title?: string | undefined;
  readonly guests?: Guests | undefined;
  /** Tool names allowed; `*` stands for every registered tool. */
  readonly tools?: readonly string[] | undefined;
  readonly models?: Partial<ModelSettings> | undefined;
  readonly queue?: Partial<QueueSettings> | undefined;
  readonly budget?: BudgetSettings | undefined;
  /** Extra system prompt file inside the workspace (an S file). */
  readonly prompt?: string | undefined;
  readonly output?: Output | undefined;
  readonly acknowledge?: Acknowledge | undefined;
  /** Messages of one sender in a minute that may start work, and characters of one of them. */
  readonly messagesPerMinute?: number | undefined;
  readonly maxPromptChars?: number | undefined;
}

export type ContextKind = 'channel' | 'thread' | 'group' | 'direct' | 'mailbox' | 'http' | 'cli' | 'hub';

/** Which door a piece of work came through. */
export type Door = 'chat' | 'http' | 'cli' | 'mail' | 'cron' | 'file' | 'outcome';

/** Policy boundary in a workspace. */
export interface Context {
  readonly id: ContextId;
  readonly workspace: WorkspaceId;
  readonly kind: ContextKind;
  readonly openness: 'open' | 'closed';
  /** The channel it stands for. */
  readonly connector: string;
  readonly account: string;
  readonly channel: string;
  readonly directWith?: UserId | undefined;
  /** Owns the runs that mail, cron and file edits start here. */
  readonly owner: UserId;
  readonly settings: ContextSettings;
  readonly createdAt: number;
}

/** Isolated store and policy. */
export interface Workspace {
  readonly id: WorkspaceId;
  readonly title: string;
  readonly kind: 'community' | 'private';
  readonly owner: UserId;
  readonly outsideEdits: OutsideEdits;
  readonly settings: WorkspaceSettings;
  readonly createdAt: number;
}

export interface WorkspaceSettings extends ContextSettings {
  /** Runs at the same time, 5 unless said. */
  readonly concurrency?: number | undefined;
  /** Approvers needed for tier high, 1 unless said. */
  readonly approversForHigh?: number | undefined;
  /** IANA zone for times shown to people. */
  readonly timeZone?: string | undefined;
  readonly bindings?: readonly Binding[] | undefined;
}

/** Settings of a context with every inherited field filled in. */
export interface EffectiveSettings {
  readonly title: string;
  readonly guests: Guests;
  readonly tools: readonly string[];
  readonly models: ModelSettings;
  readonly queue: QueueSettings;
  readonly budget: BudgetSettings;
  readonly prompts: readonly string[];
  readonly concurrency: number;
  readonly approversForHigh: number;
  readonly timeZone: string;
  readonly output: Output;
  readonly acknowledge: Acknowledge;
  readonly messagesPerMinute: number;
  readonly maxPromptChars?: number | undefined;
}

export const DEFAULT_QUEUE: QueueSettings = {
  maxQueued: 20,
  runDeadlineMs: 10 * 60_000,
  maxSteps: 16,
  idleRotationMs: 8 * 60 * 60_000,
};

/** More than a person types, less than a loop of machines sends. */
const MESSAGES_PER_MINUTE = 30;

/** Tools a workspace has unless it says otherwise: reading, searching, and writes that policy guards one by one. */
export const DEFAULT_TOOLS = [
  'md_read',
  'md_list',
  'md_glob',
  'md_grep',
  'md_write',
  'qmd_search',
  'post_message',
] as const;

/**
 * Inheritance in one place: the context's word, else the workspace's, else the default. A context never widens its
 * workspace's tools, models or caps on spending.
 */
export function effectiveSettings(workspace: Workspace, context: Context): EffectiveSettings {
  const own = context.settings;
  const base = workspace.settings;
  const models = { ...base.models, ...definedOf(own.models) };
  const { allowed, ...limits } = models;
  return {
    title: own.title ?? base.title ?? context.id,
    guests: own.guests ?? base.guests ?? (context.openness === 'open' ? 'ask' : 'off'),
    tools: narrowed(base.tools ?? [...DEFAULT_TOOLS], own.tools),
    models: { ...limits, allowed: narrowedModels(base.models?.allowed ?? [], own.models?.allowed) },
    queue: { ...DEFAULT_QUEUE, ...definedOf(base.queue), ...definedOf(own.queue) },
    budget: {
      tokensPerDay: lower(base.budget?.tokensPerDay, own.budget?.tokensPerDay),
      tokensPerSenderPerDay: lower(base.budget?.tokensPerSenderPerDay, own.budget?.tokensPerSenderPerDay),
    },
    prompts: [base.prompt, own.prompt].filter((path) => path !== undefined),
    concurrency: base.concurrency ?? 5,
    approversForHigh: base.approversForHigh ?? 1,
    timeZone: base.timeZone ?? 'UTC',
    output: own.output ?? base.output ?? 'all',
    acknowledge: own.acknowledge ?? base.acknowledge ?? 'tasks',
    messagesPerMinute: own.messagesPerMinute ?? base.messagesPerMinute ?? MESSAGES_PER_MINUTE,
    maxPromptChars: lower(base.maxPromptChars, own.maxPromptChars),
  };
}

/** What a context lists, as far as its workspace has it; `*` stands for all that the workspace has. */
function narrowed(base: readonly string[], own: readonly string[] | undefined): readonly string[] {
  if (own === undefined || own.includes('*')) return base;
  return base.includes('*') ? own : own.filter((name) => base.includes(name));
}

/** Stands in a list of allowed models when nothing is left of it: an empty list would mean "any". No route is called so. */
export const NO_MODEL = '(none)';

function narrowedModels(base: readonly string[], own: readonly string[] | undefined): readonly string[] {
  if (own === undefined || own.length === 0) return base;
  if (base.length === 0) return own;
  const rest = narrowed(base, own);
  return rest.length === 0 ? [NO_MODEL] : rest;
}

/** A cap of the context holds on top of its workspace's, never instead of it. */
function lower(a: number | undefined, b: number | undefined): number | undefined {
  if (a === undefined || b === undefined) return a ?? b;
  return Math.min(a, b);
}

function definedOf<T extends object>(value: T | undefined): Partial<T> {
  if (value === undefined) return {};
  return Object.fromEntries(Object.entries(value).filter(([, member]) => member !== undefined)) as Partial<T>; // safe: a subset of T's own members
}

/** Who may read what is said here. */
export function clearanceOf(context: Context): Clearance {
  return clearanceOfContext({
    workspace: context.workspace,
    context: context.id,
    openness: context.openness,
    directWith: context.directWith,
  });
}
