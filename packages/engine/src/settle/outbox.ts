import { AppError, type Effect, type EffectId } from '@agent-runtime/domain';
import type { EngineDeps } from '../api.ts';
import { belongsTo } from '../effect/rules.ts';
import { isGateClosed } from '../gate/gate.ts';
import { claim } from './claim.ts';
import { DRAINED, perform } from './perform.ts';
import { type Ending, type Recorded, record } from './record.ts';
import { recoverEffects } from './recover.ts';
import { mustWait } from './wait.ts';

export interface OutboxHooks {
  /** An approved fetch or code run has its result: the engine starts a fresh turn with it. */
  readonly freshTurn?: ((outcome: Recorded) => Promise<void>) | undefined;
  /** Before an effect is claimed; must not throw, nor wait for long. */
  readonly before?: ((effect: Effect) => Promise<void>) | undefined;
  /** Policy said no at the last moment; must not throw. */
  readonly refused?: ((effect: Effect) => void) | undefined;
}

/** The worker that carries out approved effects. Idle, it holds no timer and reads nothing. */
export interface Outbox {
  /** Looks at what an older process left, then begins to claim. */
  start(): Promise<void>;
  /** Something may be due: call after every commit that approves or inserts an effect, after panic off and after the gate opened. */
  wake(): void;
  /** Claims nothing more, waits for what is on its way until the deadline, then aborts it. */
  drain(deadlineMs: number): Promise<void>;
  /** Aborts what is on its way, at once and in memory; of one principal key, or everything. Returns the effects. */
  abort(key?: string): readonly EffectId[];
  /** Resolves when nothing is on its way and nothing is due now. */
  idle(): Promise<void>;
}

/** Effects that one process performs at the same time. */
const MAX_PARALLEL = 8;

interface Performing {
  readonly effect: Effect;
  readonly controller: AbortController;
  readonly finished: Promise<void>;
}

/** @param hooks what the engine does with outcomes */
export function makeOutbox(deps: EngineDeps, hooks: OutboxHooks = {}): Outbox {
  const performing = new Map<string, Performing>();
  const stop = new AbortController();
  let isStarted = false;
  let isStopped = false;
  let isDirty = false;
  let pumping: Promise<void> | undefined;
  let timer: AbortController | undefined;

  const wake = (): void => {
    isDirty = true;
    if (!isStarted || isStopped || pumping !== undefined) return;
    pumping = pump();
  };

  async function pump(): Promise<void> {
    while (isDirty) {
      isDirty = false;
      try {
        await startDue();
      } catch (thrown) {
        trouble(thrown, 'the outbox could not be read');
      }
    }
    // In the same breath as the last look at `isDirty`: a call of `wake` meets either the loop or the end of it.
    pumping = undefined;
  }

  async function startDue(): Promise<void> {
    cancelTimer();
    if (deps.panic.isOn()) return;
    const approved = await deps.store.read.find('effect', { state: 'approved' });
    const nowMs = deps.clock.nowMs();
    let nextMs = Number.POSITIVE_INFINITY;
    for (const [lane, effect] of headsOf(approved)) {
      if (performing.has(lane) || performing.size >= MAX_PARALLEL) continue;
      if (mustWait(effect, nowMs)) nextMs = Math.min(nextMs, effect.notBefore);
      else begin(lane, effect);
    }
    if (nextMs < Number.POSITIVE_INFINITY) wakeAfter(nextMs - nowMs);
  }

  function begin(lane: string, effect: Effect): void {
    if (isStopped) return;
    const controller = new AbortController();
    const finished = settleOne(effect, controller.signal)
      .then((isHeld) => {
        performing.delete(lane);
        if (!isHeld) wake();
      })
      .catch((thrown: unknown) => {
        performing.delete(lane);
        trouble(thrown, `${effect.id} could not be settled`);
      });
    performing.set(lane, { effect, controller, finished });
  }

  /** @returns true when nothing may be claimed now: trying again at once would be a loop */
  async function settleOne(effect: Effect, signal: AbortSignal): Promise<boolean> {
    await hooks.before?.(effect);
    const claimed = await claim(deps, effect.id);
    if (claimed.kind === 'refused') hooks.refused?.(effect);
    if (claimed.kind !== 'claimed') return claimed.kind === 'held';
    publish(claimed.effect, 'effect.performing');
    const recorded = await perform(deps, claimed.effect, signal, writeDown);
    if (recorded === undefined) return false;
    await tell(recorded);
    return false;
  }

  /** What happened outside is written down as long as this process lives, however long the disk refuses. */
  async function writeDown(effect: Effect, ending: Ending): Promise<Recorded | undefined> {
    for (
      let waitMs = deps.config.deliverBackoffMs;
      ;
      waitMs = Math.min(waitMs * 2, deps.config.deliverBackoffMaxMs)
    ) {
      try {
        return await record(deps, effect, ending);
      } catch (thrown) {
        const isTransient = thrown instanceof AppError && thrown.kind === 'unavailable';
        if (!isTransient || stop.signal.aborted) throw thrown;
        deps.log.error(
          { room: 'settle', effect: effect.id, error: thrown },
          'an outcome could not be written yet',
        );
        await deps.clock.sleep(waitMs, stop.signal);
      }
    }
  }

  async function tell(recorded: Recorded): Promise<void> {
    const { effect } = recorded;
    publish(effect, `effect.${effect.state}`);
    deps.metrics.count('effect_settled_total', { state: effect.state, class: effect.class });
    const isResult = effect.class === 'F' || effect.class === 'K';
    const isOver = ['done', 'rejected', 'uncertain'].includes(effect.state);
    if (isResult && isOver) await hooks.freshTurn?.(recorded);
  }

  function publish(effect: Effect, kind: string): void {
    deps.live.publish({
      topic: 'effects',
      kind,
      data: { id: effect.id, state: effect.state, workspace: effect.workspace, context: effect.context },
    });
  }

  function trouble(thrown: unknown, what: string): void {
    deps.log.error({ room: 'settle', error: thrown }, what);
    // Another process owns the data now; this one must never act again.
    if (thrown instanceof AppError && thrown.code === 'database.epoch.conflict') isStopped = true;
    const isTransient = thrown instanceof AppError && thrown.kind === 'unavailable';
    if (isTransient && !isStopped) wakeAfter(deps.config.deliverBackoffMs);
  }

  function wakeAfter(ms: number): void {
    cancelTimer();
    const own = new AbortController();
    timer = own;
    void deps.clock.sleep(Math.max(1, ms), own.signal).then(() => {
      if (!own.signal.aborted) wake();
    });
  }

  function cancelTimer(): void {
    timer?.abort('over');
    timer = undefined;
  }

  async function idle(): Promise<void> {
    while (pumping !== undefined || performing.size > 0) {
      await pumping;
      await Promise.all([...performing.values()].map((one) => one.finished));
    }
  }

  return {
    start: async () => {
      // Panic and the gate have their own rule for what is unfinished: it ends, whatever the outside could tell.
      const isHalted = deps.panic.isOn() || (await isGateClosed(deps.store.read));
      const recovered = isHalted ? [] : await recoverEffects(deps, stop.signal);
      for (const one of recovered) await tell(one);
      isStarted = true;
      wake();
    },
    wake,
    idle,
    drain: async (deadlineMs) => {
      isStopped = true;
      cancelTimer();
      const limit = new AbortController();
      const late = deps.clock.sleep(deadlineMs, limit.signal).then(() => {
        stop.abort();
        for (const one of performing.values()) one.controller.abort(DRAINED);
      });
      await idle();
      limit.abort();
      await late;
    },
    abort: (key) => {
      const hit = [...performing.values()].filter(
        (one) => key === undefined || belongsTo(one.effect.requester, key),
      );
      for (const one of hit) one.controller.abort();
      return hit.map((one) => one.effect.id);
    },
  };
}

/**
 * What is next in each lane. Answers to one place keep their order, so a place is a lane; effects that needed an approval wait for nobody.
 */
function headsOf(approved: readonly Effect[]): ReadonlyMap<string, Effect> {
  const sorted = [...approved].sort((a, b) => a.createdAt - b.createdAt || (a.id < b.id ? -1 : 1));
  const heads = new Map<string, Effect>();
  for (const effect of sorted) {
    const { connector, account, address } = effect.sink;
    const lane = effect.class === 'E0' ? JSON.stringify([connector, account, address]) : effect.id;
    if (!heads.has(lane)) heads.set(lane, effect);
  }
  return heads;
}
