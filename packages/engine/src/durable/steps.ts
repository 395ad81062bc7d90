import { AppError, type Json, type Store, type WorkContext } from '@agent-runtime/domain';

export interface StepsInput {
  readonly work: string;
  readonly store: Store;
  /** Steps that an earlier start recorded. */
  readonly known: ReadonlyMap<string, Json>;
  readonly signal: AbortSignal;
}

/**
 * The step function of one work: a recorded step gives its value again, a new one is performed, then recorded in one transaction with
 * whatever it writes. An aborted work begins no further step.
 * @throws AppError durable.step.cancelled when the work was stopped before the step began
 */
export function makeSteps(input: StepsInput): WorkContext['step'] {
  return async (name, perform, record, audit) => {
    const known = input.known.get(name);
    // safe: the same step name of the same work wrote it, so it has the step's type
    if (known !== undefined) return known as Awaited<ReturnType<typeof record>>;
    if (input.signal.aborted) throw stopped(input.signal);
    const performed = await perform(input.signal);
    return input.store.commit(typeof audit === 'function' ? audit(performed) : audit, async (tx) => {
      const value = await record(tx, performed);
      await tx.recordStep(input.work, name, value);
      return value;
    });
  };
}

function stopped(signal: AbortSignal): AppError {
  return new AppError({
    code: 'durable.step.cancelled',
    kind: 'cancelled',
    message: `Stopped: ${String(signal.reason)}.`,
  });
}
