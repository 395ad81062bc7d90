import type { Clock } from '@agent-runtime/domain';
import { badRequest, Refusal } from './refusal.ts';
import type { TelegramUpdate } from './wire.ts';

/** Kinds that a bot gets only when it names them. */
const NAMED_ONLY: ReadonlySet<string> = new Set([
  'chat_member',
  'message_reaction',
  'message_reaction_count',
]);

/** An offset that lies further ahead than this is not believed: the real queue then answers from its beginning. */
const BELIEVED_AHEAD = 10;

export interface PollOptions {
  readonly offset: number;
  /** 1..100 */
  readonly limit: number;
  readonly timeoutSeconds: number;
  /** Ends the wait: the caller hung up. */
  readonly signal: AbortSignal;
}

/** Updates that wait for the bot. */
export class UpdateQueue {
  readonly #clock: Clock;
  readonly #listeners = new Set<() => void>();
  #pending: TelegramUpdate[] = [];
  #nextId: number;
  #allowed: ReadonlySet<string> | undefined;
  #poll: { readonly end: (reason: Refusal) => void } | undefined;
  #polls = 0;

  constructor(clock: Clock, firstId: number) {
    this.#clock = clock;
    this.#nextId = firstId;
  }

  /** Not confirmed, oldest first. */
  get pending(): readonly TelegramUpdate[] {
    return this.#pending;
  }

  /** The kinds asked for last; undefined: all but those that must be named. */
  get allowed(): readonly string[] | undefined {
    return this.#allowed === undefined ? undefined : [...this.#allowed];
  }

  /** Whether a getUpdates waits. */
  get isPolled(): boolean {
    return this.#poll !== undefined;
  }

  /** getUpdates begun so far. */
  get polls(): number {
    return this.#polls;
  }

  /** Updates already queued stay, as on the real server. @param kinds empty: all but those that must be named */
  allow(kinds: readonly string[] | undefined): void {
    if (kinds !== undefined) this.#allowed = kinds.length === 0 ? undefined : new Set(kinds);
  }

  /** @returns undefined when the bot did not ask for this kind */
  push(kind: string, content: object): TelegramUpdate | undefined {
    const isWanted = this.#allowed?.has(kind) ?? !NAMED_ONLY.has(kind);
    if (!isWanted) return undefined;
    const update: TelegramUpdate = { update_id: this.#nextId, [kind]: content };
    this.#nextId += 1;
    this.inject(update);
    return update;
  }

  /** Adds an update as it is, whatever its id. */
  inject(update: TelegramUpdate): void {
    this.#pending.push(update);
    this.#announce();
  }

  /** Every update that waits comes once more, with the same id, behind the others. */
  duplicate(): void {
    this.#pending.push(...this.#pending);
    this.#announce();
  }

  /** Changes the order (or the number) of what waits. */
  reorder(change: (pending: readonly TelegramUpdate[]) => readonly TelegramUpdate[]): void {
    this.#pending = [...change(this.#pending)];
    this.#announce();
  }

  /** The next update has this id, as after a week without any. */
  restart(nextId: number): void {
    this.#nextId = nextId;
  }

  /** Forgets what waits. */
  clear(): void {
    this.#pending = [];
  }

  /** Forgets the first one: it was delivered. */
  shift(): void {
    this.#pending.shift();
  }

  /** Calls back whenever something was added. @returns stops that */
  onPush(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => void this.#listeners.delete(listener);
  }

  /** Ends the getUpdates that waits. */
  conflict(by: string): void {
    this.#poll?.end(new Refusal(409, `Conflict: terminated by ${by}`));
  }

  /** @throws Refusal 409 when another poll or a webhook ended this one */
  async poll({ offset, limit, timeoutSeconds, signal }: PollOptions): Promise<readonly TelegramUpdate[]> {
    if (offset > 0x7fff_ffff || offset < -0x8000_0000) throw badRequest('invalid offset specified');
    this.conflict('other getUpdates request; make sure that only one bot instance is running');
    this.#polls += 1;
    this.#confirm(offset);
    if (this.#pending.length === 0 && timeoutSeconds > 0) await this.#wait(timeoutSeconds, signal);
    return this.#pending.slice(0, limit);
  }

  #confirm(offset: number): void {
    if (offset < 0) this.#pending = this.#pending.slice(offset);
    if (offset <= 0 || offset > this.#nextId + BELIEVED_AHEAD) return;
    if (this.#pending.some((update) => update.update_id < offset)) {
      this.#pending = this.#pending.filter((update) => update.update_id >= offset);
    }
  }

  async #wait(timeoutSeconds: number, signal: AbortSignal): Promise<void> {
    const over = new AbortController();
    let reason: Refusal | undefined;
    const wake = (): void => over.abort();
    const mine = {
      end: (refusal: Refusal): void => {
        reason = refusal;
        wake();
      },
    };
    this.#poll = mine;
    const stopListening = this.onPush(wake);
    signal.addEventListener('abort', wake);
    if (signal.aborted) wake();
    await this.#clock.sleep(timeoutSeconds * 1000, over.signal);
    stopListening();
    signal.removeEventListener('abort', wake);
    if (this.#poll === mine) this.#poll = undefined;
    if (reason !== undefined) throw reason;
  }

  #announce(): void {
    for (const listener of [...this.#listeners]) listener();
  }
}
