import type { Json, JsonObject, WorkspaceId } from '../base/index.ts';
import type { ContextKind } from '../context/index.ts';
import type { Sink } from '../effect/index.ts';
import type { LlmEvent, LlmRequest } from '../model/index.ts';

/** A provider of models. */
export interface LlmProvider {
  readonly id: string;
  /** Streams one call. Ends with exactly one `done` or `failed`; never throws, also not when aborted. */
  stream(request: LlmRequest, signal: AbortSignal): AsyncIterable<LlmEvent>;
}

/** One thing that arrived, normalised by its connector. */
export interface InboundEvent {
  /** `<connector>:<account>`, e.g. `memory:demo`. */
  readonly source: string;
  /** Unique within the source for ever: platform id, or the caller's idempotency key. */
  readonly externalId: string;
  readonly kind: 'message' | 'edit' | 'button';
  readonly channel: InboundChannel;
  readonly sender: InboundSender;
  readonly text: string;
  /** Set for buttons: the random id on the card. */
  readonly buttonId?: string | undefined;
  /** Mentioned, replied to, or a direct message. */
  readonly isAddressed: boolean;
  /** Forwards, quotes, via-bot messages: outside text even from a paired person. */
  readonly isRelayed: boolean;
  readonly sentAt: number;
}

export interface InboundChannel {
  /** Platform id of channel, thread, group or direct chat. */
  readonly id: string;
  readonly kind: ContextKind;
  readonly title: string;
}

export interface InboundSender {
  /** Immutable platform id; the only thing trusted about a sender. */
  readonly id: string;
  readonly displayName: string;
  readonly isBot: boolean;
}

/** A reply or post before it is rendered for its platform. */
export interface Draft {
  readonly text: string;
  /** Platform id of the message that it answers. */
  readonly replyTo?: string | undefined;
  readonly buttons?: readonly { readonly id: string; readonly label: string }[] | undefined;
}

/** What is passed into rendering, so that it stays pure. */
export interface RenderContext {
  readonly address: string;
  readonly effectId: string;
  readonly nowMs: number;
}

/** The outside's answer to one accepted payload. */
export interface Receipt {
  readonly externalId: string;
  readonly [key: string]: Json;
}

/** What is known of an effect whose outcome was lost. */
export type Reconciled =
  | { readonly kind: 'sent'; readonly receipt: Receipt }
  | { readonly kind: 'not-sent' }
  | { readonly kind: 'unknown' };

/**
 * One outside system for talk. `render` is pure and makes the final wire payloads; `deliver` sends exactly one of them.
 * `pull` connectors hand nothing over: their reply is there once it is committed (HTTP, command line).
 */
export interface Connector {
  readonly name: string;
  readonly account: string;
  readonly delivery: 'push' | 'pull';
  /** True when the receiver drops a repeat of the same effect id and part: then a lost outcome may be tried again. */
  readonly dropsRepeats: boolean;
  render(draft: Draft, context: RenderContext): readonly JsonObject[];
  /**
   * Sends one wire payload exactly as given.
   * @throws AppError with kind `unavailable` (nothing happened, try later) · `exhausted` (retryAfterMs) · `rejected` (a lasting no) ·
   *   `uncertain` (nobody knows)
   */
  deliver(
    payload: JsonObject,
    to: { readonly sink: Sink; readonly effectId: string; readonly part: number },
    signal: AbortSignal,
  ): Promise<Receipt>;
  /** Looks outside for a payload whose outcome was lost. */
  reconcile(
    payload: JsonObject,
    to: { readonly sink: Sink; readonly effectId: string; readonly part: number },
    signal: AbortSignal,
  ): Promise<Reconciled>;
  /** Begins to listen; each event is acknowledged outside only after `accept` has resolved. */
  start(accept: (event: InboundEvent) => Promise<void>): Promise<void>;
  stop(): Promise<void>;
}

export interface SearchHit {
  readonly path: string;
  /** From 1. */
  readonly line: number;
  readonly snippet: string;
  /** Higher is better; only comparable within one answer. */
  readonly score: number;
}

export interface SearchQuery {
  readonly workspace: WorkspaceId;
  readonly text: string;
  readonly limit: number;
  /** Look among these records instead of the notes; they are never part of an ordinary search. */
  readonly in?: 'mail' | 'logs' | 'tasks' | undefined;
  /** Only these paths exist for the asker: counts and scores know nothing of others. */
  readonly isVisible: (path: string) => Promise<boolean>;
}

/** Search over the Markdown of one workspace. Hits are re-read and re-checked before anyone sees them. */
export interface Search {
  /** What answered, for honesty: `keyword`, `bm25`, …. */
  readonly level: string;
  search(query: SearchQuery, signal: AbortSignal): Promise<readonly SearchHit[]>;
}
