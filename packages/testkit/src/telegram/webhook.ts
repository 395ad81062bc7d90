import type { Clock } from '@agent-runtime/domain';
import type { Params } from './coerce.ts';
import { badRequest, Refusal } from './refusal.ts';
import type { UpdateQueue } from './updates.ts';

interface Target {
  readonly url: string;
  readonly secretToken: string | undefined;
  readonly maxConnections: number;
}

/** Pushes updates to the bot, one after the other, each until it is taken. */
export class Webhook {
  readonly #clock: Clock;
  readonly #updates: UpdateQueue;
  readonly #retryMs: number;
  readonly #closing = new AbortController();
  #target: Target | undefined;
  #lastError: { readonly date: number; readonly message: string } | undefined;
  #isDelivering = false;
  #attempts = 0;

  /** @param retryMs pause after a delivery that was not taken */
  constructor(clock: Clock, updates: UpdateQueue, retryMs: number) {
    this.#clock = clock;
    this.#updates = updates;
    this.#retryMs = retryMs;
    updates.onPush(() => this.#start());
  }

  /** Where updates go; undefined: nowhere. */
  get url(): string | undefined {
    return this.#target?.url;
  }

  /** Deliveries tried so far. */
  get attempts(): number {
    return this.#attempts;
  }

  /** @throws Refusal 409 while there is one */
  refuseWhenSet(): void {
    if (this.#target === undefined) return;
    const how = 'use deleteWebhook to delete the webhook first';
    throw new Refusal(409, `Conflict: can't use getUpdates method while webhook is active; ${how}`);
  }

  set(params: Params): true {
    const url = String(params.url ?? '');
    if (params.drop_pending_updates === true) this.#updates.clear();
    if (url === '') return this.#aim(undefined);
    const secretToken = params.secret_token as string | undefined; // safe: checked against the spec
    if (!URL.canParse(url)) throw badRequest('bad webhook: invalid webhook URL specified');
    const { protocol, hostname } = new URL(url);
    // Plain HTTP is for the loopback of tests; the real server takes HTTPS alone.
    if (protocol !== 'https:' && hostname !== '127.0.0.1' && hostname !== 'localhost') {
      throw badRequest('bad webhook: An HTTPS URL must be provided for webhook');
    }
    if (secretToken !== undefined && !/^[A-Za-z0-9_-]{1,256}$/.test(secretToken)) {
      throw badRequest('secret token contains unallowed characters');
    }
    this.#updates.allow(params.allowed_updates as readonly string[] | undefined); // safe: checked against the spec
    const maxConnections = typeof params.max_connections === 'number' ? params.max_connections : 40;
    return this.#aim({ url, secretToken, maxConnections });
  }

  delete(dropPending: boolean): true {
    if (dropPending) this.#updates.clear();
    return this.#aim(undefined);
  }

  /** Somebody else with the token moves the webhook. @param url empty: removes it */
  changeBehindBack(url: string): void {
    this.#aim(url === '' ? undefined : { url, secretToken: undefined, maxConnections: 40 });
  }

  info(): object {
    const allowed = this.#updates.allowed;
    return {
      url: this.#target?.url ?? '',
      has_custom_certificate: false,
      pending_update_count: this.#updates.pending.length,
      ...(this.#target === undefined ? {} : { max_connections: this.#target.maxConnections }),
      ...(this.#lastError === undefined
        ? {}
        : { last_error_date: this.#lastError.date, last_error_message: this.#lastError.message }),
      ...(allowed === undefined ? {} : { allowed_updates: allowed }),
    };
  }

  close(): void {
    this.#target = undefined;
    this.#closing.abort();
  }

  #aim(target: Target | undefined): true {
    this.#target = target;
    this.#lastError = undefined;
    if (target !== undefined) this.#updates.conflict('setWebhook request');
    this.#start();
    return true;
  }

  #start(): void {
    if (this.#isDelivering || this.#target === undefined) return;
    this.#isDelivering = true;
    void this.#deliverAll().finally(() => {
      this.#isDelivering = false;
      // Something may have come between the last look and now.
      if (this.#target !== undefined && this.#updates.pending.length > 0) this.#start();
    });
  }

  async #deliverAll(): Promise<void> {
    for (let next = this.#updates.pending[0]; next !== undefined; next = this.#updates.pending[0]) {
      const target = this.#target;
      if (target === undefined) return;
      const failure = await this.#deliver(target, JSON.stringify(next));
      if (failure === undefined) {
        // It may have been dropped or moved while it was on its way.
        this.#updates.reorder((pending) => withoutFirst(pending, next));
        continue;
      }
      this.#lastError = { date: Math.floor(this.#clock.nowMs() / 1000), message: failure };
      await this.#clock.sleep(this.#retryMs, this.#closing.signal);
    }
  }

  async #deliver({ url, secretToken }: Target, body: string): Promise<string | undefined> {
    this.#attempts += 1;
    const secret = secretToken === undefined ? {} : { 'x-telegram-bot-api-secret-token': secretToken };
    try {
      const response = await fetch(url, {
        method: 'POST',
        body,
        headers: { 'content-type': 'application/json', ...secret },
        signal: this.#closing.signal,
      });
      await response.arrayBuffer();
      return response.ok
        ? undefined
        : `Wrong response from the webhook: ${response.status} ${response.statusText}`;
    } catch (error) {
      return `Connection failed: ${error instanceof Error ? error.message : String(error)}`;
    }
  }
}

/** Without the first of these; duplicates of it stay. */
function withoutFirst<T>(list: readonly T[], item: T): readonly T[] {
  const at = list.indexOf(item);
  return at < 0 ? list : list.toSpliced(at, 1);
}
