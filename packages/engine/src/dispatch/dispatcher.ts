import type { Durable, Run } from '@agent-runtime/domain';
import type { EngineDeps } from '../api.ts';

/** Name of the workflow of every run. */
export const RUN_WORKFLOW = 'run';

const BATCH = 100;

/** Hands queued runs to the durable engine, by id, so that handing one over twice does nothing. */
export interface Dispatcher {
  /** There may be a queued run: call after every commit that makes one, and once at boot. */
  wake(): void;
  /** Resolves when nothing is left to hand over. */
  idle(): Promise<void>;
  /** Hands over nothing more; resolves when what was begun is done. */
  stop(): Promise<void>;
}

export function makeDispatcher(
  deps: Pick<EngineDeps, 'store' | 'clock' | 'log'>,
  durable: Durable,
): Dispatcher {
  let isDirty = false;
  const stop = new AbortController();
  let working: Promise<void> | undefined;

  const wake = (): void => {
    isDirty = true;
    if (stop.signal.aborted || working !== undefined) return;
    working = work().finally(() => {
      working = undefined;
      if (isDirty) wake();
    });
  };

  async function work(): Promise<void> {
    while (isDirty && !stop.signal.aborted) {
      isDirty = false;
      try {
        if (await dispatchBatch(deps, durable)) isDirty = true;
      } catch (thrown) {
        deps.log.error(
          { room: 'dispatch', error: thrown },
          'queued runs could not be handed over; trying again',
        );
        await deps.clock.sleep(RETRY_MS, stop.signal);
        isDirty = true;
      }
    }
  }

  return {
    wake,
    idle: async () => {
      while (working !== undefined) await working;
    },
    stop: async () => {
      stop.abort();
      await working;
    },
  };
}

const RETRY_MS = 1_000;

/** @returns true when there may be more */
async function dispatchBatch(deps: Pick<EngineDeps, 'store' | 'clock'>, durable: Durable): Promise<boolean> {
  const runs = await deps.store.read.find(
    'run',
    { state: 'queued', dispatchedAt: { isNull: true } },
    { orderBy: 'createdAt', limit: BATCH },
  );
  const [first] = runs;
  if (first === undefined) return false;
  await durable.enqueue((await inOrderOfArrival(deps, runs)).map(workOf));
  const audit = {
    action: 'dispatch.enqueue',
    actor: 'appliance',
    subject: first.id,
    data: { runs: runs.length },
  };
  await deps.store.commit(audit, async (tx) => {
    await tx.update('run', { id: { in: runs.map((run) => run.id) } }, { dispatchedAt: deps.clock.nowMs() });
  });
  return runs.length === BATCH;
}

/** Ids made in one millisecond sort by chance; the number of the message that a run answers tells which came first. */
async function inOrderOfArrival(
  deps: Pick<EngineDeps, 'store'>,
  runs: readonly Run[],
): Promise<readonly Run[]> {
  const inputs = await deps.store.read.find('context_message', { id: { in: runs.map((run) => run.input) } });
  const seqs = new Map(inputs.map((message) => [message.id, message.seq]));
  const seqOf = (run: Run): number => seqs.get(run.input) ?? 0;
  return [...runs].sort((a, b) => a.createdAt - b.createdAt || seqOf(a) - seqOf(b));
}

function workOf(run: Run): Parameters<Durable['enqueue']>[0][number] {
  return {
    id: run.id,
    workflow: RUN_WORKFLOW,
    key: run.conversation,
    lane: run.workspace,
    input: { run: run.id },
    notBefore: 0,
  };
}
