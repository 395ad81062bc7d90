import type { Json, JsonObject, WorkspaceId } from '../base/index.ts';
import type { Attachment, ContextKind } from '../context/index.ts';
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
  readonly kind: InboundKind;
  readonly channel: InboundChannel;
  readonly sender: InboundSender;
  /** Of a command `/name and its arguments`; of a button what was typed into its form, else empty. */
  readonly text: string;
  /** Platform id of the message itself, of the one whose button was pressed, or of the one reacted to: what an answer replies to. */
  readonly message?: string | undefined;
  /** Platform id of the message that this one answers. */
  readonly repliesTo?: string | undefined;
  /** Set for buttons: the random id on the card. */
  readonly buttonId?: string | undefined;
  readonly attachments?: readonly Attachment[] | undefined;
  /** Set for `member`. */
  readonly member?: MemberChange | undefined;
  /** Set for `moved`: the id that this channel had before. */
  readonly movedFrom?: string | undefined;
  /** Mentioned, replied to, or a direct message. */
  readonly isAddressed: boolean;
  /** Forwards, quotes, via-bot messages: outside text even from a paired person. */
  readonly isRelayed: boolean;
  readonly sentAt: number;
}

/**
 * `command`: a native slash command, text as if it had been typed · `reaction`: an emoji on a message, in `text` · `member`: somebody, or
 * the bot itself, came or left · `moved`: the platform gave the channel another id.
 */
export type InboundKind = 'message' | 'edit' | 'button' | 'command' | 'reaction' | 'member' | 'moved';

export interface InboundChannel {
  /** Platform id of channel, thread, topic, group or direct chat. */
  readonly id: string;
  readonly kind: ContextKind;
  readonly title: string;
  /** Platform id of what it lies in: the guild of a channel, the group of a topic. Bindings name it. */
  readonly group?: string | undefined;
  /** Channel of a thread, group of a topic. */
  readonly parent?: string | undefined;
}

export interface MemberChange {
  readonly change: 'joined' | 'left';
  /** The appliance's own account came or left: it can or cannot speak here any more. */
  readonly isSelf: boolean;
}

export interface InboundSender {
  /** Immutable platform id; the only thing trusted about a sender. */
  readonly id: string;
  readonly displayName: string;
  readonly isBot: boolean;
}

/** What came of an event, for platforms where somebody waits for an answer to it (native commands, buttons). */
export interface Taken {
  /** An answer comes by itself, as an effect. */
  readonly isAnswered: boolean;
  /** Fixed or filtered words to show to whoever acted, when nothing else will come. */
  readonly words?: string | undefined;
}

/** The door of a connector: resolves when what the event caused is durable; only then is it acknowledged outside. */
export type Accept = (event: InboundEvent) => Promise<Taken | undefined>;

/** What a platform asks while a person is still typing. `edit`: the present text that a form for it begins with. */
export interface SuggestQuestion {
  readonly source: string;
  readonly channel: InboundChannel;
  readonly sender: InboundSender;
  readonly about: 'open' | 'run' | 'edit';
  /** The words so far; of `edit` the id of its button. */
  readonly typed: string;
}

export interface Suggestion {
  /** At most 100 characters, except for `edit`. */
  readonly label: string;
  /** At most 100 characters, except for `edit`; what the command gets. */
  readonly value: string;
}

/** Answers at once with what this person may see in this place. Never throws. */
export type Suggest = (question: SuggestQuestion) => Promise<readonly Suggestion[]>;

/** A button; its random id is bound to one effect, one message and what it does. */
export interface DraftButton {
  /** At most 64 bytes. */
  readonly id: string;
  readonly label: string;
  readonly tone?: 'good' | 'bad' | undefined;
  /** Platforms with forms ask for words first, and send them as the text of the press. */
  readonly form?:
    | { readonly title: string; readonly field: string; readonly about: 'reason' | 'edit' }
    | undefined;
}

/** A reply or post before it is rendered for its platform. */
export interface Draft {
  /** Markdown. */
  readonly text: string;
  /** Platform id of the message that it answers. */
  readonly replyTo?: string | undefined;
  readonly buttons?: readonly DraftButton[] | undefined;
  /** Takes the place of this message of ours (platform id), buttons too, instead of being a new one. */
  readonly edits?: string | undefined;
  /** Shown as a card where the platform has them; else the title is a first bold line. */
  readonly card?: { readonly title: string; readonly tone: 'ask' | 'good' | 'bad' | 'plain' } | undefined;
  /** Key of the live message (see `LiveTalk`) that these words complete. */
  readonly live?: string | undefined;
  /** Invites to answer this very message, where the platform can. */
  readonly asksReply?: boolean | undefined;
}

/** One rendering of what there is of an answer so far; the text is filtered already. */
export interface LiveFrame {
  readonly address: string;
  /** Of the answer: its run. */
  readonly key: string;
  readonly replyTo?: string | undefined;
  /** Markdown so far, perhaps empty. */
  readonly text: string;
  /** One line about what is being done. */
  readonly progress?: string | undefined;
}

/** Signs of life while an answer is made: never stored as an effect, best effort, nothing here throws. */
export interface LiveTalk {
  /** No frame of one key comes sooner after another, ms. */
  readonly everyMs: number;
  /** The platform's own "is typing", which ends by itself after a few seconds. */
  typing(address: string, signal: AbortSignal): Promise<void>;
  /** The first frame of a key makes a message, later ones edit it; `deliver` of a draft with this key completes it. */
  show(frame: LiveFrame, signal: AbortSignal): Promise<void>;
  /** Takes the message of an answer away that will not come. */
  drop(address: string, key: string, signal: AbortSignal): Promise<void>;
}

/** What a connector must find again after a restart: bookkeeping, no fact that the audit would miss. Values are sealed at rest. */
export interface ConnectorMemory {
  get(key: string): Promise<string | undefined>;
  /** Durable when it resolves. */
  set(key: string, value: string): Promise<void>;
  remove(key: string): Promise<void>;
  /** Forgets what begins like this and was set before an instant, epoch ms. */
  prune(prefix: string, beforeMs: number): Promise<void>;
}

/** What is passed into rendering, so that it stays pure. */
export interface RenderContext {
  readonly address: string;
  readonly effectId: string;
  readonly nowMs: number;
}

/** Which payload of which effect, and where to. */
export interface Delivery {
  readonly sink: Sink;
  readonly effectId: string;
  /** From 0. */
  readonly part: number;
  /** Claims of this effect so far, this one too: above 1 an earlier one may have left something outside. 1 when absent. */
  readonly attempt?: number | undefined;
  /** When the effect was made, epoch ms. */
  readonly createdAt?: number | undefined;
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
  deliver(payload: JsonObject, to: Delivery, signal: AbortSignal): Promise<Receipt>;
  /** Looks outside for a payload whose outcome was lost. */
  reconcile(payload: JsonObject, to: Delivery, signal: AbortSignal): Promise<Reconciled>;
  /** Begins to listen; each event is acknowledged outside only after `accept` has resolved. */
  start(accept: Accept, suggest?: Suggest): Promise<void>;
  stop(): Promise<void>;
  /** Where answers can be watched while they are made. */
  readonly live?: LiveTalk | undefined;
  /** Why nothing can be heard or said at present, for people and health checks; undefined while it works. */
  trouble?(): string | undefined;
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
