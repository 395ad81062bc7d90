import type { Id, IdNoun, JsonObject } from '../base/index.ts';

/** The only source of time. */
export interface Clock {
  /** Wall time, epoch ms. */
  nowMs(): number;
  /** Never goes back; for durations and timeouts, ms. */
  monotonicMs(): number;
  /** Resolves after `ms` of this clock, or at once when the signal aborts. Never rejects. */
  sleep(ms: number, signal?: AbortSignal): Promise<void>;
}

/** The only source of ids and randomness. */
export interface Ids {
  /** `<prefix>_` and 20 characters of lower-case base32: sorts by time of making, 50 random bits and more. */
  make<N extends IdNoun>(noun: N): Id<N>;
  /** URL-safe secret with at least `bits` of randomness. */
  secret(bits: number): string;
}

/** Fields that every line of a run carries. */
export interface LogFields {
  readonly room?: string;
  readonly run_id?: string;
  readonly task_id?: string;
  readonly context?: string;
  readonly [key: string]: unknown;
}

export interface Logger {
  debug(fields: LogFields, message: string): void;
  info(fields: LogFields, message: string): void;
  warn(fields: LogFields, message: string): void;
  error(fields: LogFields, message: string): void;
  child(fields: LogFields): Logger;
}

export interface Metrics {
  /** Adds to a counter; labels have few values each. */
  count(name: string, labels?: Readonly<Record<string, string>>, by?: number): void;
  /** Sets a gauge. */
  gauge(name: string, value: number, labels?: Readonly<Record<string, string>>): void;
  /** Records a duration in milliseconds. */
  observe(name: string, valueMs: number, labels?: Readonly<Record<string, string>>): void;
}

/**
 * Places where a process may die, named and countable. Does nothing in production; tests kill or throw here.
 * Names: `commit.before:<action>`, `commit.after:<action>`, `perform.before:<kind>`, `perform.after:<kind>`, `file.before-rename`, ….
 */
export interface CrashPoints {
  reach(name: string): void;
}

/** A fact for people who watch; never stored, never trusted. `topic` is a run id, or `effects`, `health`, …. */
export interface LiveEvent {
  readonly topic: string;
  readonly kind: string;
  /** For topics that can be resumed: grows by one per journalled event of the topic. */
  readonly seq?: number | undefined;
  readonly data: JsonObject;
}

export interface LiveFeed {
  publish(event: LiveEvent): void;
  /** @returns unsubscribe */
  subscribe(topic: string, listener: (event: LiveEvent) => void): () => void;
}

/** Panic's memory across restarts: a preallocated file, so that a full disk cannot stop it. */
export interface PanicSwitch {
  /** Read once at start, then kept in memory. */
  isOn(): boolean;
  /** Acts in memory before anything else; persisting is best effort and never throws. */
  turnOn(by: string, atMs: number): void;
  /** @throws AppError panic.file.unavailable when it cannot be persisted: it then stays on */
  turnOff(by: string, atMs: number): void;
  state(): { readonly isOn: boolean; readonly by?: string | undefined; readonly atMs?: number | undefined };
}
