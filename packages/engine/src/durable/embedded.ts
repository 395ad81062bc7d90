import {
  AppError,
  type Clock,
  type Durable,
  type Journal,
  type Json,
  type Logger,
  type Store,
  toAppError,
  type WorkContext,
  type Workflow,
  type WorkItem,
} from '@agent-runtime/domain';
import { makeSteps } from './steps.ts';

export interface EmbeddedInput {
  readonly journal: Journal;
  readonly store: Store;
  readonly clock: Clock;
  readonly log: Logger;
  /** Works of one lane that may run at once. */
  readonly laneLimit: (lane: string) => number;
  /** Starts of one work before it counts as poison. */
  readonly maxAttempts: number;
  /** Works that this process runs at once, over all lanes. */
  readonly maxParallel: number;
}

/** The embedded engine, with what the process around it needs. */
export interface EmbeddedDurable extends Durable {
  /** Aborts running works that fit, at once and in memory; they end by their own rule. */
  abort(fits: (id: string) => boolean, reason: string): void;
  /** Resolves when nothing runs and nothing is due now. */
  idle(): Promise<void>;
  /** Something that held work back may have changed: a limit of a lane. */
  wake(): void;
}

interface Running {
  readonly controller: AbortController;
  readonly finished: Promise<void>;
}

/** Reason with which a drain aborts: the work stays resumable. */
export const DRAINED = 'drained';

/**
 * Durable work over the journal of one process. Woken by enqueueing, by the end of a work and by the clock; idle, it reads nothing.
 * A work that a crash interrupted starts again and skips its recorded steps; one that keeps crashing is poison and fails.
 */
export function makeEmbeddedDurable(input: EmbeddedInput): EmbeddedDurable {
  const { journal, clock, log } = input;
  const workflows = new Map<string, Workflow>();
  const running = new Map<string, Running>();
  let isStarted = false;
  let isStopped = false;
  const stopped = new AbortController();
  let isDirty = false;
  let pumping: Promise<void> | undefined;
  let timer: AbortController | undefined;

  const wake = (): void => {
    isDirty = true;
    if (!isStarted || isStopped || pumping !== undefined) return;
    pumping = pump().finally(() => {
      pumping = undefined;
      if (isDirty) wake();
    });
  };

  async function pump(): Promise<void> {
    while (isDirty && !isStopped) {
      isDirty = false;
      try {
        await claimDue();
      } catch (thrown) {
        trouble(thrown);
      }
    }
  }

  async function claimDue(): Promise<void> {
    const nowMs = clock.nowMs();
    const items = await journal.claim({
      nowMs,
      max: input.maxParallel - running.size,
      laneLimit: input.laneLimit,
    });
    for (const item of items) begin(item);
    const dueAt = await journal.nextDueMs(nowMs);
    if (dueAt !== undefined) wakeAfter(dueAt - nowMs);
  }

  function begin(item: WorkItem): void {
    const controller = new AbortController();
    const finished = execute(item, controller.signal)
      .catch(trouble)
      .finally(() => {
        running.delete(item.id);
        wake();
      });
    running.set(item.id, { controller, finished });
    if (isStopped) controller.abort(DRAINED);
  }

  async function execute(item: WorkItem, signal: AbortSignal): Promise<void> {
    const workflow = workflows.get(item.workflow);
    try {
      if (workflow === undefined) throw unknownWorkflow(item.workflow);
      const steps = await journal.steps(item.id);
      await workflow.run(item.input, contextOf(item, steps, signal));
      // A workflow that ended its work in a commit of its own needs no second write, which costs a wait for the disk.
      if ((await journal.get(item.id))?.state === 'running') await journal.finish(item.id, 'done');
    } catch (thrown) {
      if (signal.aborted && signal.reason === DRAINED) return journal.release(item.id);
      if (isTransient(thrown)) return retryLater(item);
      if (isFenced(thrown)) throw thrown;
      await fail(item, toAppError(thrown, item.id));
    }
  }

  function contextOf(item: WorkItem, steps: ReadonlyMap<string, Json>, signal: AbortSignal): WorkContext {
    return {
      id: item.id,
      attempt: item.attempts,
      signal,
      step: makeSteps({ work: item.id, store: input.store, known: steps, signal }),
    };
  }

  async function fail(item: WorkItem, error: AppError): Promise<void> {
    log.warn(
      { room: 'durable', work: item.id, code: error.code, detail: error.detail },
      'a piece of work failed',
    );
    try {
      await workflows.get(item.workflow)?.onFailed(item.input, error);
    } catch (thrown) {
      if (isTransient(thrown)) return retryLater(item);
      if (isFenced(thrown)) throw thrown;
      // Its own last word failed for good: the work must still end, or it would hold its key for ever.
      log.error(
        { room: 'durable', work: item.id, error: thrown },
        'a failed piece of work could not be told',
      );
    }
    await journal.finish(item.id, 'failed', error.message);
  }

  /** The disk refused: the work keeps its place and starts again after a while, however long the disk goes on refusing. */
  async function retryLater(item: WorkItem): Promise<void> {
    for (;;) {
      await clock.sleep(TROUBLE_MS, stopped.signal);
      try {
        return await journal.release(item.id);
      } catch (thrown) {
        // At a drain the next process finds it in the journal.
        if (!isTransient(thrown) || isStopped) throw thrown;
      }
    }
  }

  function trouble(thrown: unknown): void {
    log.error({ room: 'durable', error: thrown }, 'the journal could not be used');
    if (isFenced(thrown)) isStopped = true;
    else if (!isStopped) wakeAfter(TROUBLE_MS);
  }

  function wakeAfter(ms: number): void {
    timer?.abort('later');
    const own = new AbortController();
    timer = own;
    void clock.sleep(Math.max(1, ms), own.signal).then(() => {
      if (!own.signal.aborted) wake();
    });
  }

  async function idle(): Promise<void> {
    while (pumping !== undefined || running.size > 0) {
      await pumping;
      await Promise.all([...running.values()].map((one) => one.finished));
    }
  }

  return {
    register: (name, workflow) => {
      workflows.set(name, workflow);
    },
    enqueue: async (work) => {
      if (work.length === 0) return;
      await journal.put(work);
      wake();
    },
    schedule: async (name, atMs, work) => {
      await journal.put([{ ...work, id: `${name}@${atMs}`, notBefore: atMs }]);
      wake();
    },
    cancel: async (id, reason) => {
      const state = await journal.cancel(id, reason);
      if (state === 'running') running.get(id)?.controller.abort(reason);
      return state !== undefined;
    },
    list: (filter) => journal.list(filter),
    start: async () => {
      for (const spent of await journal.recover(input.maxAttempts)) {
        try {
          await workflows.get(spent.workflow)?.onFailed(spent.input, poison(spent));
        } catch (thrown) {
          // One broken piece of work must not keep the process from starting.
          log.error(
            { room: 'durable', work: spent.id, error: thrown },
            'a failed piece of work could not be told',
          );
        }
      }
      isStarted = true;
      wake();
    },
    drain: async (deadlineMs) => {
      isStopped = true;
      stopped.abort();
      timer?.abort();
      const limit = new AbortController();
      const late = clock.sleep(deadlineMs, limit.signal).then(() => {
        for (const one of running.values()) one.controller.abort(DRAINED);
      });
      await idle();
      limit.abort();
      await late;
    },
    abort: (fits, reason) => {
      for (const [id, one] of running) if (fits(id)) one.controller.abort(reason);
    },
    idle,
    wake,
  };
}

const TROUBLE_MS = 1_000;

function isTransient(thrown: unknown): boolean {
  return thrown instanceof AppError && thrown.code.startsWith('database.') && thrown.kind === 'unavailable';
}

function isFenced(thrown: unknown): boolean {
  return thrown instanceof AppError && thrown.code === 'database.epoch.conflict';
}

function poison(work: WorkItem): AppError {
  return new AppError({
    code: 'durable.attempts.exhausted',
    kind: 'exhausted',
    message: `Given up after ${work.attempts} starts that never came to an end. Retry it when the cause is gone.`,
  });
}

function unknownWorkflow(name: string): AppError {
  return new AppError({
    code: 'durable.workflow.bug',
    kind: 'bug',
    message: `Nothing is registered for ${name}.`,
  });
}
