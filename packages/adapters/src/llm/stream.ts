import {
  AppError,
  type ErrorKind,
  estimateTokens,
  type LlmEvent,
  type LlmRequest,
  type Usage,
} from '@agent-runtime/domain';

type Failed = Extract<LlmEvent, { kind: 'failed' }>;
type Done = Extract<LlmEvent, { kind: 'done' }>;

/** A call that used nothing that we know of. */
export const NO_USAGE: Usage = { inputTokens: 0, outputTokens: 0, cachedTokens: 0 };

/** The last event of a call that came to nothing. */
export function failed(
  kind: ErrorKind,
  message: string,
  more: { readonly retryAfterMs?: number | undefined; readonly usage?: Usage | undefined } = {},
): Failed {
  const error = { code: `llm.call.${kind}`, kind, message, retryAfterMs: more.retryAfterMs };
  return { kind: 'failed', error, usage: more.usage };
}

/** For servers that do not count, and for calls that broke: a budget must not be blind because of them. */
export function estimatedUsage(request: LlmRequest, heard: string): Usage {
  const inputTokens = request.messages.reduce((sum, message) => sum + estimateTokens(message.text) + 4, 0);
  return { inputTokens, outputTokens: estimateTokens(heard), cachedTokens: 0 };
}

function cancelled(usage: Usage): Failed {
  return failed('cancelled', 'The call of the model was stopped.', { usage });
}

/** Starts one call. Its signal aborts when the call is aborted and also when nobody listens any more. */
export type LlmSource = (signal: AbortSignal) => AsyncIterable<LlmEvent>;

/**
 * Makes any source of events keep the promise of the port: exactly one `done` or `failed`, at the end; nothing thrown; on abort the
 * stream ends at once, even when the source does not listen to the signal.
 * @param source what it throws becomes `failed`, with the AppError's kind or `bug`
 * @param spent  what a call has cost that broke after this much was heard; nothing, unless said
 */
export async function* sealed(
  source: LlmSource,
  signal: AbortSignal,
  spent: (heard: string) => Usage = () => NO_USAGE,
): AsyncGenerator<LlmEvent, void, undefined> {
  if (signal.aborted) return yield cancelled(NO_USAGE);
  let heard = '';
  const call = new AbortController();
  const aborted = Promise.withResolvers<'aborted'>();
  const abort = (): void => {
    call.abort('over');
    aborted.resolve('aborted');
  };
  signal.addEventListener('abort', abort, { once: true });
  let iterator: AsyncIterator<LlmEvent> | undefined;
  try {
    iterator = source(call.signal)[Symbol.asyncIterator]();
    while (true) {
      const next = await Promise.race([iterator.next(), aborted.promise]);
      if (next === 'aborted' || signal.aborted) return yield cancelled(spent(heard));
      if (next.done === true) {
        return yield failed('unavailable', 'The model ended its answer before it was complete. Try again.', {
          usage: spent(heard),
        });
      }
      heard += heardIn(next.value);
      yield next.value;
      if (isLast(next.value)) return;
    }
  } catch (thrown) {
    yield signal.aborted ? cancelled(spent(heard)) : failedBy(thrown, spent(heard));
  } finally {
    signal.removeEventListener('abort', abort);
    call.abort('over');
    // Not awaited: a source that hangs must not hold back who has already left.
    void iterator?.return?.().catch(() => {});
  }
}

function isLast(event: LlmEvent): event is Done | Failed {
  return event.kind === 'done' || event.kind === 'failed';
}

function heardIn(event: LlmEvent): string {
  switch (event.kind) {
    case 'text':
    case 'reasoning':
      return event.delta;
    case 'tool_call':
      return event.call.name + event.call.argumentsJson;
    default:
      return '';
  }
}

function failedBy(thrown: unknown, usage: Usage): Failed {
  if (!(thrown instanceof AppError))
    return failed('bug', 'The adapter of the model broke. The log has the details.', { usage });
  const { code, kind, message, retryAfterMs } = thrown;
  return { kind: 'failed', error: { code, kind, message, retryAfterMs }, usage };
}
