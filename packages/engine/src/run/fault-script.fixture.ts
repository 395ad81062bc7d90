import type { Clock } from '@agent-runtime/domain';
import { type LlmAnswer, type LlmMove, llm } from '@agent-runtime/testkit';

/** Where the request of a script goes: our emulated server, or a door behind which no model is. */
export type Place = 'server' | 'nobody' | 'garbage' | 'hangs-up' | 'tls';

/** How a run ends whose model misbehaves, when no other route is configured. */
export type End =
  | { readonly state: 'failed'; readonly code: string; readonly says: RegExp }
  /** The model could mend it, or nothing was wrong. `told`: what its next call is told of the first. */
  | { readonly state: 'succeeded'; readonly output: RegExp; readonly told?: RegExp };

export interface FaultScript {
  readonly name: string;
  readonly place?: Place;
  /** What the server does at the first call, and at every other one unless `later` is given. */
  readonly answer?: (clock: Clock) => LlmAnswer;
  /** What it does afterwards. */
  readonly later?: LlmAnswer;
  readonly ends: End;
  /** Requests that reach the provider when it is the only one. */
  readonly calls: number;
  /** True when another configured route answers instead. */
  readonly isRescued: boolean;
  /** What the first call is charged: nothing, what was heard, the whole reservation, or exactly this. */
  readonly charged: 'nothing' | 'some' | 'all' | number;
}

export const good = (text: string): readonly LlmMove[] => [...llm.text(text), ...llm.done()];
export const AFTER = good('I will not.');
/** A whole call that would leave an effect, and one that would leave a file. */
export const POST = JSON.stringify({
  connector: 'chat',
  channel: 'news-channel',
  text: 'from an incomplete call',
});
export const WRITE = JSON.stringify({ path: 'notes/a.md', mode: 'create', text: 'from an incomplete call' });
export const calls = [
  { id: 'c1', name: 'post_message', arguments: POST },
  { id: 'c2', name: 'md_write', arguments: WRITE },
];
export const whole = llm.toolCalls(calls);
export const call = (name: string, args: string, id = 'c1'): readonly LlmMove[] => [
  ...llm.toolCalls([{ id, name, arguments: args }], 4_096),
  ...llm.done('tool_calls'),
];
export const usage = (counts: object): readonly LlmMove[] => [
  ...llm.text('counted'),
  ...llm.data({ choices: [{ index: 0, delta: {}, finish_reason: 'stop' }], usage: counts }),
];
export const MIB = 1024 * 1024;
export const DEEP = 200_000;

export const failed = (code: string, says: RegExp): End => ({ state: 'failed', code, says });
export const fine = (output: RegExp, told?: RegExp): End => ({
  state: 'succeeded',
  output,
  ...(told && { told }),
});

/** Errors that another try or another route may not have. */
export const passing = { isRescued: true, calls: 2 } as const;
/** Errors that this provider would have again. */
export const lasting = { isRescued: true, calls: 1 } as const;
/** What the model itself reads and mends. */
export const mended = { later: AFTER, isRescued: false, calls: 2, charged: 150 } as const;

export const BUSY = failed('llm.call.exhausted', /busy .* Try again/s);
export const TROUBLE = failed('llm.call.unavailable', /has trouble .*Try again/s);
export const BROKEN = failed('llm.call.unavailable', /broke off or cannot be read.* Try again/s);
export const SILENT = failed('run.call.unavailable', /took too long.* Try again/s);
export const EMPTY = failed('llm.call.unavailable', /empty answer.* Try again/s);
export const ENDLESS = failed('run.answer.rejected', /far too long.* Ask/s);
