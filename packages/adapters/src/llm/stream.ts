import { AppError, type ErrorKind, type LlmEvent, type Usage } from '@agent-runtime/domain';

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

export function cancelled(): Failed {
  return failed('cancelled', 'The call of the model was stopped.');
}

/** Starts one call. Its signal aborts when the call is aborted and also when nobody listens any more. */
export type LlmSource = (signal: AbortSignal) => AsyncIterable<LlmEvent>;

/**
 * Makes any source of events keep the promise of the port: exactly one `done` or `failed`, at the end; nothing thrown; on abort the
 * stream ends at once, even when the source does not listen to the signal.
 * @param source what it throws becomes `failed`, with the AppError's kind or `bug`
 */
export async function* sealed(
  source: LlmSource,
  signal: AbortSignal,
): AsyncGenerator<LlmEvent, void, undefined> {
  if (signal.aborted) return yield cancelled();
  const call = new AbortController();
  const aborted = Promise.withResolvers<'aborted'>();
  const abort = (): void => {
    call.abort();
    aborted.resolve('aborted');
  };
  signal.addEventListener('abort', abort, { once: true });
  let iterator: AsyncIterator<LlmEvent> | undefined;
  try {
    iterator = source(call.signal)[Symbol.asyncIterator]();
    while (true) {
      const next = await Promise.race([iterator.next(), aborted.promise]);
      if (next === 'aborted' || signal.aborted) return yield cancelled();
      if (next.done === true) {
        return yield failed('unavailable', 'The model ended its answer before it was complete.');
      }
      yield next.value;
      if (isLast(next.value)) return;
    }
  } catch (thrown) {
    yield signal.aborted ? cancelled() : failedBy(thrown);
  } finally {
    signal.removeEventListener('abort', abort);
    call.abort();
    // Not awaited: a source that hangs must not hold back who has already left.
    void iterator?.return?.().catch(() => {});
  }
}

function isLast(event: LlmEvent): event is Done | Failed {
  return event.kind === 'done' || event.kind === 'failed';
}

function failedBy(thrown: unknown): Failed {
  if (!(thrown instanceof AppError))
    return failed('bug', 'The adapter of the model broke. The log has the details.');
  const { code, kind, message, retryAfterMs } = thrown;
  return { kind: 'failed', error: { code, kind, message, retryAfterMs } };
}
