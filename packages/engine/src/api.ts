import type {
  ApprovalId,
  AuditReader,
  Clock,
  ConfigFiles,
  Connector,
  ContextId,
  CrashPoints,
  Digest,
  Door,
  Draft,
  EffectId,
  Ids,
  InboundEvent,
  IngestedEvent,
  Journal,
  LiveFeed,
  LlmProvider,
  Logger,
  Metrics,
  ModelRoute,
  PanicSwitch,
  Principal,
  Redactor,
  Run,
  RunId,
  Search,
  Store,
  Suggest,
  TaskId,
  TaskKind,
  Tier,
  ToolSpec,
  WorkspaceFiles,
  WorkspaceId,
} from '@agent-runtime/domain';

/** Everything the engine touches, handed in by the process that runs it. */
export interface EngineDeps {
  readonly store: Store;
  readonly journal: Journal;
  readonly audit: AuditReader;
  readonly files: WorkspaceFiles;
  readonly search: Search;
  readonly providers: readonly LlmProvider[];
  readonly routes: readonly ModelRoute[];
  readonly tools: readonly ToolSpec[];
  readonly connectors: readonly Connector[];
  readonly panic: PanicSwitch;
  readonly clock: Clock;
  readonly ids: Ids;
  readonly log: Logger;
  readonly metrics: Metrics;
  readonly live: LiveFeed;
  readonly crash: CrashPoints;
  readonly redactor: Redactor;
  /** Settings files of places that bind or move by themselves. */
  readonly configFiles?: ConfigFiles | undefined;
  readonly config: EngineConfig;
}

/** Times are milliseconds. Tests shorten them; nothing is measured in tests by waiting. */
export interface EngineConfig {
  /** Starts of one piece of work before it counts as poison. */
  readonly maxAttempts: number;
  readonly llmTimeoutMs: number;
  readonly llmMaxBytes: number;
  readonly deliverTimeoutMs: number;
  /** First wait after a delivery that did not happen; doubles, at most `deliverBackoffMaxMs`. */
  readonly deliverBackoffMs: number;
  readonly deliverBackoffMaxMs: number;
  readonly deliverMaxAttempts: number;
  /** Overrides for approval expiry by tier. */
  readonly approvalExpiryMs?: Partial<Readonly<Record<Tier, number>>>;
  readonly tierFloors?: Readonly<Record<string, Tier>>;
  /** Approvals that one person may give by chat in a day, 50 unless said. */
  readonly chatGrantsPerDay?: number | undefined;
  /** How often expiries, idle conversations and released reservations are looked at. */
  readonly sweepMs: number;
  /** Prompt budget when neither context nor route says less, tokens. */
  readonly promptTokens: number;
  readonly maxPromptChars: number;
  /** Our own name on chat platforms; commands addressed to other bots are ignored. */
  readonly botName?: string | undefined;
  /** How long an answer may take before "is typing" is said, how often, and before it is shown in the making; how long one frame may hold it up. */
  readonly presence?:
    | {
        readonly typingAfterMs?: number;
        readonly typingEveryMs?: number;
        readonly firstFrameMs?: number;
        readonly limitMs?: number;
      }
    | undefined;
}

/** Who gives an order, and how we know. */
export interface Actor {
  readonly principal: Principal;
  /** `socket` and `network` are unsigned: the host itself, and anybody who reaches the public door. */
  readonly via: 'signed' | 'socket' | 'network' | 'chat';
  /** Serial of the client certificate that opened the connection, on the network. */
  readonly certificate?: string | undefined;
  /** What an approver's key signed, for the audit chain. */
  readonly proof?:
    | { readonly keyId: string; readonly signature: string; readonly signed: string }
    | undefined;
}

/** One arrival at the one door. Chat connectors give only the event; HTTP and the command line know who it is already. */
export interface Arrival {
  readonly event: InboundEvent;
  readonly door: Door;
  readonly taskKind?: TaskKind | undefined;
  /** Messages of one key are one conversation; chat uses channel and thread. */
  readonly conversationKey: string;
  readonly authenticated?: { readonly principal: Principal; readonly context: ContextId } | undefined;
}

export interface Accepted {
  readonly outcome: IngestedEvent['outcome'];
  readonly isRepeat: boolean;
  readonly task?: TaskId | undefined;
  readonly run?: RunId | undefined;
  /** What to tell the sender at once (a command's answer, a refusal); already filtered. */
  readonly reply?: string | undefined;
  /** The reply leaves by itself, through the outbox. */
  readonly isQueued?: boolean | undefined;
}

/** A message that the appliance itself wants shown in a context (class E0). */
export interface NoticeRequest {
  readonly key: string;
  readonly workspace: WorkspaceId;
  readonly context: ContextId;
  readonly draft: Draft;
}

/** The running engine. */
export interface Engine {
  /** Recovers what a crash left, then works. */
  start(): Promise<void>;
  /** Takes no new work, finishes what runs until the deadline, leaves the rest resumable. */
  drain(deadlineMs: number): Promise<void>;

  /**
   * The way in for everything. Resolves only when what it caused is durable.
   * @throws AppError ingest.event.invalid · ingest.key.conflict (same key, other content) · ingest.queue.exhausted · denied kinds are
   *   thrown for authenticated doors and answered with `reply` in chat
   */
  accept(arrival: Arrival): Promise<Accepted>;

  /** Stops a run: queued ones at once, running ones at their next await. @throws AppError run.id.missing, policy denials */
  abort(run: RunId, actor: Actor): Promise<Run>;
  /** A fresh run of the same task. */
  retry(task: TaskId, actor: Actor): Promise<Run>;
  /** Adds a message to the sender's own running task; the next model call sees it. @param key a repeat with the same one adds nothing */
  steer(run: RunId, text: string, actor: Actor, key?: string): Promise<void>;

  approve(id: ApprovalId, digest: Digest, actor: Actor): Promise<void>;
  deny(id: ApprovalId, reason: string, actor: Actor): Promise<void>;
  release(id: ApprovalId, digest: Digest, actor: Actor): Promise<void>;
  withdraw(id: ApprovalId, actor: Actor): Promise<void>;
  /** Other words: supersedes the effect and asks anew. @returns the new approval */
  edit(id: ApprovalId, text: string, actor: Actor): Promise<ApprovalId>;
  /** A human says what became of an uncertain effect. */
  resolve(id: EffectId, outcome: 'sent' | 'not-sent', actor: Actor): Promise<void>;

  panicOn(actor: Actor): Promise<void>;
  panicOff(actor: Actor): Promise<void>;
  openGate(actor: Actor): Promise<void>;
  /** Call after a token, key, identity or grant was taken away: running work of the principal is looked at again at once. */
  revoked(principalKey: string): Promise<void>;
  /** Call after a workspace or its people changed: its limits are read again, and a notice that was left is sent. */
  settingsChanged(): Promise<void>;

  /** What a platform may show while a person types a command. Never throws. */
  readonly suggest: Suggest;

  readonly health: () => { readonly isReady: boolean; readonly reasons: readonly string[] };
}
