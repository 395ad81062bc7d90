import type { Clock } from '@agent-runtime/domain';
import { type RawParams, Upload } from './body.ts';
import { coerceParams, type Params } from './coerce.ts';
import { type Fault, type Faults, scopeOf } from './faults.ts';
import { type Backend, methods } from './methods.ts';
import type { Rates } from './rates.ts';
import { badRequest, Refusal } from './refusal.ts';
import type { SpecCheck } from './spec.ts';

/** A call as it came in. */
export interface TelegramCall {
  /** As the spec spells it; `file` for a download. */
  readonly method: string;
  /** Files are `Upload`s with name and bytes. */
  readonly params: Params;
  /** Wall time of the server's clock, epoch ms. */
  readonly at: number;
  /** HTTP status; undefined until it is answered, and for ever when the line broke before. */
  readonly status: number | undefined;
  /** Why it was refused. */
  readonly description: string | undefined;
}

interface MutableCall extends TelegramCall {
  status: number | undefined;
  description: string | undefined;
}

/** A call that does not fit the spec. */
export interface SpecViolation {
  readonly method: string;
  readonly problem: string;
  readonly params: Params;
}

/** Looks at a call after it was processed and before it is answered. */
export type CallHook = (call: TelegramCall, result: unknown) => void | Promise<void>;

/** What goes back over the line. */
export type Reply =
  | { readonly kind: 'json'; readonly status: number; readonly body: string; readonly retryAfter?: number }
  | { readonly kind: 'bytes'; readonly bytes: Uint8Array }
  | { readonly kind: 'page'; readonly status: number }
  | { readonly kind: 'hang' }
  | { readonly kind: 'drop' };

export interface DeskParts {
  readonly backend: Backend;
  readonly clock: Clock;
  readonly check: SpecCheck;
  readonly faults: Faults;
  readonly rates: Rates;
  /** Calls kept for the test to look at; older ones are forgotten. */
  readonly keptCalls: number;
}

/** Methods that make a message, which is what rates count. */
const SENDING = /^send(?!ChatAction)/;

/** Takes calls: records, checks, spoils and plays them. */
export class Desk {
  readonly calls: TelegramCall[] = [];
  readonly violations: SpecViolation[] = [];
  /** Answers 401, 403 and 429 by status. */
  readonly invalid = new Map<number, number>();
  readonly #parts: DeskParts;
  readonly #names: ReadonlyMap<string, string>;
  readonly #hooks = new Map<string, Set<CallHook>>();

  constructor(parts: DeskParts) {
    this.#parts = parts;
    this.#names = parts.check.methodNames();
  }

  /** @param method `*` for every one @returns takes the hook away again */
  onCall(method: string, hook: CallHook): () => void {
    const hooks = this.#hooks.get(method) ?? new Set<CallHook>();
    this.#hooks.set(method, hooks.add(hook));
    return () => void hooks.delete(hook);
  }

  /** Answers one call. */
  async take(name: string, raw: RawParams, signal: AbortSignal): Promise<Reply> {
    const method = this.#names.get(name.toLowerCase());
    if (method === undefined) return this.refuse(new Refusal(404, 'Not Found: method not found'));
    const call = this.#record(method, coerceParams(raw, this.#parts.check.fieldsOf(method)));
    return this.#answer(call, async () => {
      const result = await this.#play(call, signal);
      return [result, { kind: 'json', status: 200, body: JSON.stringify({ ok: true, result }) }];
    });
  }

  /** Answers the download of a file; a call of the method `file`. */
  download(path: string): Promise<Reply> {
    return this.#answer(this.#record('file', { path }), async () => {
      const content = this.#parts.backend.world.fileAt(path);
      if (content === undefined) throw new Refusal(404, 'Not Found');
      return [content.file, { kind: 'bytes', bytes: content.bytes }];
    });
  }

  /** Counts and words a refusal. */
  refuse({ status, message, parameters }: Refusal, call?: TelegramCall): Reply {
    if (status === 401 || status === 403 || status === 429) {
      this.invalid.set(status, (this.invalid.get(status) ?? 0) + 1);
    }
    this.#close(call, status, message);
    const about = { ok: false, error_code: status, description: message, parameters };
    const retryAfter = parameters?.retry_after;
    const body = JSON.stringify(about);
    return { kind: 'json', status, body, ...(retryAfter === undefined ? {} : { retryAfter }) };
  }

  #record(method: string, params: Params): TelegramCall {
    const call: MutableCall = {
      method,
      params,
      at: this.#parts.clock.nowMs(),
      status: undefined,
      description: undefined,
    };
    // In pieces: cutting one off the front for each new one would cost a copy of all.
    if (this.calls.push(call) > this.#parts.keptCalls * 2) this.calls.splice(0, this.#parts.keptCalls);
    return call;
  }

  /** What a fault does instead of playing; undefined: it is played. */
  async #spoil(fault: Fault, call: TelegramCall): Promise<Reply | undefined> {
    switch (fault.kind) {
      case 'too-many': {
        const scope = scopeOf({ method: call.method, chatId: call.params.chat_id }, fault.isGlobal === true);
        return this.refuse(this.#parts.faults.wait(scope, fault.retryAfterSeconds), call);
      }
      case 'server-error':
        this.#close(call, fault.status ?? 502, 'emulated error of a proxy');
        return { kind: 'page', status: fault.status ?? 502 };
      case 'refuse':
        return this.refuse(new Refusal(fault.status ?? 400, fault.description, fault.parameters), call);
      case 'hang':
        return { kind: 'hang' };
      case 'drop-before':
        return { kind: 'drop' };
      case 'slow':
        await this.#parts.clock.sleep(fault.ms);
        return undefined;
      case 'hang-after':
      case 'drop-after':
        return undefined;
      default:
        return fault satisfies never;
    }
  }

  /** @param work what the call does: its result for hooks, and the reply */
  async #answer(call: TelegramCall, work: () => Promise<readonly [unknown, Reply]>): Promise<Reply> {
    const about = { method: call.method, chatId: call.params.chat_id };
    const early = this.#parts.faults.early(about);
    if (early !== undefined) return this.refuse(early, call);
    const fault = this.#parts.faults.take(about);
    const spoilt = fault === undefined ? undefined : await this.#spoil(fault, call);
    if (spoilt !== undefined) return spoilt;
    try {
      const [result, reply] = await work();
      for (const hook of this.#hooksOf(call.method)) await hook(call, result);
      if (fault?.kind === 'drop-after') return { kind: 'drop' };
      if (fault?.kind === 'hang-after') return { kind: 'hang' };
      this.#close(call, 200);
      return reply;
    } catch (error) {
      if (error instanceof Refusal) return this.refuse(error, call);
      throw error;
    }
  }

  async #play(call: TelegramCall, signal: AbortSignal): Promise<unknown> {
    this.#refuseViolations(call);
    this.#refuseHaste(call);
    const method = Object.hasOwn(methods, call.method) ? methods[call.method] : undefined;
    if (method === undefined) throw this.#notPlayed(call);
    return method(this.#parts.backend, call.params, signal);
  }

  #hooksOf(method: string): readonly CallHook[] {
    if (this.#hooks.size === 0) return [];
    return [...(this.#hooks.get(method) ?? []), ...(this.#hooks.get('*') ?? [])];
  }

  #refuseViolations({ method, params }: TelegramCall): void {
    const [first, ...rest] = this.#parts.check.problemsOf(method, params);
    if (first === undefined) return;
    for (const problem of [first, ...rest]) this.violations.push({ method, problem, params });
    throw badRequest(`emulator: ${first}`);
  }

  #refuseHaste({ method, params }: TelegramCall): void {
    if (!SENDING.test(method) || typeof params.chat_id !== 'number') return;
    const wait = this.#parts.rates.take(params.chat_id);
    if (wait === undefined) return;
    throw this.#parts.faults.wait(scopeOf({ method, chatId: params.chat_id }, wait.isGlobal), wait.seconds);
  }

  #notPlayed({ method, params }: TelegramCall): Refusal {
    this.violations.push({ method, problem: `${method} is not played by the emulator`, params });
    return new Refusal(404, `Not Found: the emulator does not play ${method}`);
  }

  #close(call: TelegramCall | undefined, status: number, description?: string): void {
    if (call === undefined) return;
    const record = call as MutableCall; // safe: made by #record
    record.status = status;
    record.description = description;
  }
}

/** The file that came with a call. */
export function uploadIn(call: TelegramCall, name: string): Upload | undefined {
  const value = call.params[name];
  return value instanceof Upload ? value : undefined;
}
