import {
  clearanceOf,
  type FinishReason,
  filterReply,
  type Label,
  type LlmEvent,
  type LlmProvider,
  type LlmRequest,
  type PublicError,
  type ToolCall,
  type Usage,
} from '@agent-runtime/domain';
import type { EngineDeps } from '../api.ts';
import type { RunPlace } from './session.ts';

/** One model call as it ended. A failed one carries no text and no tool call: nothing of a cut stream is ever acted on. */
export type CallOutcome =
  | {
      readonly kind: 'done';
      readonly text: string;
      readonly toolCalls: readonly ToolCall[];
      readonly finish: FinishReason;
      readonly usage: Usage;
    }
  | {
      readonly kind: 'failed';
      readonly error: PublicError & { readonly retryAfterMs?: number | undefined };
      readonly usage: Usage | undefined;
    };

/** What is shown while the model writes. */
export interface Frames {
  readonly label: Label;
  readonly trustedUrls: ReadonlySet<string>;
}

/**
 * Reads one stream to its end. Text is filtered as a whole before each frame is shown; reasoning is dropped.
 * Ends `failed` on time-out, too many bytes, too many tool calls, or a stream that ends without saying so.
 */
export async function readStream(
  deps: EngineDeps,
  place: RunPlace | undefined,
  call: {
    readonly provider: LlmProvider;
    readonly request: LlmRequest;
    /** Absent: nothing is shown while it is read. */
    readonly frames?: Frames | undefined;
    readonly signal: AbortSignal;
  },
): Promise<CallOutcome> {
  const limit = new AbortController();
  const stopTimer = new AbortController();
  void deps.clock.sleep(deps.config.llmTimeoutMs, stopTimer.signal).then(() => {
    if (!stopTimer.signal.aborted) limit.abort('timeout');
  });
  const signal = AbortSignal.any([call.signal, limit.signal]);
  const state: Reading = { text: '', toolCalls: [], bytes: 0, shownChars: 0 };
  try {
    const ended = await untilEnd(call.provider.stream(call.request, signal), state, signal, (event) => {
      take(state, event);
      if (event.kind === 'text' && place && call.frames && isFrameDue(state))
        showFrame(deps, place, call.frames, state.text);
      return state.bytes > deps.config.llmMaxBytes
        ? TOO_LONG
        : state.toolCalls.length > MAX_TOOL_CALLS
          ? TOO_MANY_CALLS
          : undefined;
    });
    if (limit.signal.aborted && ended.kind === 'failed') return { ...ended, error: TIMED_OUT };
    return ended;
  } finally {
    stopTimer.abort('over');
    limit.abort('over');
  }
}

interface Reading {
  text: string;
  toolCalls: ToolCall[];
  bytes: number;
  /** Length of the text in the newest frame. */
  shownChars: number;
}

/** Each frame filters the whole text: showing only every 32nd part of growth keeps the cost of a long answer linear. */
const FRAME_SHARE = 32;
/** A longer answer is shown when it is whole: filtering a million characters again and again would hold up everybody else, panic too. */
const MAX_FRAME_CHARS = 32_000;

function isFrameDue(state: Reading): boolean {
  if (state.text.length > MAX_FRAME_CHARS) return false;
  if (state.text.length - state.shownChars < state.text.length / FRAME_SHARE) return false;
  state.shownChars = state.text.length;
  return true;
}

const MAX_TOOL_CALLS = 16;

/** A provider that ignores its signal cannot hold the run: each wait for it also ends with the signal. */
async function untilEnd(
  events: AsyncIterable<LlmEvent>,
  state: Reading,
  signal: AbortSignal,
  onEvent: (event: LlmEvent) => CallError | undefined,
): Promise<CallOutcome> {
  const iterator = events[Symbol.asyncIterator]();
  const aborted = onceAborted(signal);
  try {
    for (;;) {
      const next = await Promise.race([iterator.next(), aborted.promise]);
      // Also when both were ready: after the signal nothing is heard, shown or acted on.
      if (next === 'aborted' || signal.aborted) return { kind: 'failed', error: STOPPED, usage: undefined };
      if (next.done === true) return { kind: 'failed', error: CUT, usage: undefined };
      const event = next.value;
      if (event.kind === 'done')
        return {
          kind: 'done',
          text: state.text,
          toolCalls: state.toolCalls,
          finish: event.finish,
          usage: event.usage,
        };
      if (event.kind === 'failed') return { kind: 'failed', error: event.error, usage: event.usage };
      const problem = onEvent(event);
      if (problem !== undefined) return { kind: 'failed', error: problem, usage: undefined };
    }
  } finally {
    aborted.forget();
    void Promise.resolve(iterator.return?.()).catch(() => undefined);
  }
}

function take(state: Reading, event: LlmEvent): void {
  switch (event.kind) {
    case 'text':
      state.text += event.delta;
      state.bytes += Buffer.byteLength(event.delta);
      break;
    case 'reasoning':
      state.bytes += Buffer.byteLength(event.delta);
      break;
    case 'tool_call':
      state.toolCalls.push(event.call);
      state.bytes += Buffer.byteLength(event.call.argumentsJson);
      break;
    default:
      break;
  }
}

/** One unjournalled rendering of the answer so far, through the same filter as the answer itself. */
function showFrame(deps: EngineDeps, place: RunPlace, frames: Frames, text: string): void {
  if (deps.panic.isOn()) return;
  const shown = filterReply({
    text,
    label: frames.label,
    clearance: clearanceOf(place.context),
    trustedUrls: frames.trustedUrls,
  });
  const { integrity, audience } = frames.label;
  // Whoever shows it later looks again whether its label fits.
  const data = { text: shown.text, label: { integrity, audience } };
  deps.live.publish({ topic: place.run.id, kind: 'text', data });
}

function onceAborted(signal: AbortSignal): { readonly promise: Promise<'aborted'>; forget(): void } {
  let listener = (): void => undefined;
  const promise = new Promise<'aborted'>((resolve) => {
    listener = () => resolve('aborted');
    if (signal.aborted) listener();
    else signal.addEventListener('abort', listener, { once: true });
  });
  return { promise, forget: () => signal.removeEventListener('abort', listener) };
}

type CallError = PublicError & { readonly retryAfterMs?: number | undefined };
const STOPPED: CallError = {
  code: 'run.call.cancelled',
  kind: 'cancelled',
  message: 'The model call was stopped.',
};
const TIMED_OUT: CallError = {
  code: 'run.call.unavailable',
  kind: 'unavailable',
  message: 'The model took too long to answer. Try again in a while, or ask for less at once.',
};
const CUT: CallError = {
  code: 'run.stream.unavailable',
  kind: 'unavailable',
  message: 'The answer of the model broke off. Try again.',
};
const TOO_LONG: CallError = {
  code: 'run.answer.rejected',
  kind: 'rejected',
  message: 'The answer of the model was far too long and was stopped. Ask for less at once.',
};
const TOO_MANY_CALLS: CallError = {
  code: 'run.calls.rejected',
  kind: 'rejected',
  message: 'The model asked for too many tools at once. Ask for less at once.',
};
