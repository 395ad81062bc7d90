import { AppError, type Principal, principalKey } from '@agent-runtime/domain';
import type { Engine, EngineDeps } from './api.ts';
import { makeEmbeddedDurable } from './durable/index.ts';
import { belongsTo } from './effect/rules.ts';
import { type Effects, makeEffects } from './effects.ts';
import { makeIngest, makeSuggest, RUN_WORKFLOW } from './ingest/index.ts';
import { INTENT_WORKFLOW, makeIntentWorkflow } from './intent/index.ts';
import { makePresence } from './presence/index.ts';
import {
  abortRun,
  endOpenRuns,
  endOrphans,
  makeRunWorkflow,
  panicEnd,
  retryTask,
  revokedEnd,
  steerRun,
} from './run/index.ts';
import { startOutcomeTurn } from './run/outcome.ts';

/** Runs of one process at the same time, over all workspaces. */
const MAX_PARALLEL = 32;
const DEFAULT_LANE = 5;

/** Joins the rooms of the engine. Nothing happens before `start`. */
export function makeEngine(deps: EngineDeps): Engine {
  const active = new Map<string, Principal>();
  const lanes = new Map<string, number>();
  const durable = makeEmbeddedDurable({
    journal: deps.journal,
    store: deps.store,
    clock: deps.clock,
    log: deps.log,
    laneLimit: (lane) => lanes.get(lane) ?? DEFAULT_LANE,
    maxAttempts: deps.config.maxAttempts,
    maxParallel: MAX_PARALLEL,
  });
  const presence = makePresence(deps);
  const effects: Effects = makeEffects(deps, {
    before: presence.quiet,
    refused: presence.withheld,
    abortRuns: (key) => {
      presence.abort(key);
      durable.abort(
        (id) => {
          const requester = active.get(id);
          return key === undefined || (requester !== undefined && belongsTo(requester, key));
        },
        key === undefined ? 'panic' : 'revoked',
      );
    },
    // Also runs that a full disk or a dead process left half-way: nothing old starts again.
    endRuns: (by) => endOpenRuns(deps, panicEnd(by)),
    freshTurn: async (outcome) => {
      await startOutcomeTurn(deps, outcome);
      durable.wake();
    },
  });
  durable.register(RUN_WORKFLOW, makeRunWorkflow(deps, effects, active, presence));
  durable.register(
    INTENT_WORKFLOW,
    makeIntentWorkflow(deps, active, () => effects.outbox.wake()),
  );
  const state = { isStarted: false, isDraining: false };

  const engine: Engine = {
    start: async () => {
      await readLanes(deps, lanes);
      await effects.start();
      await durable.start();
      await endOrphans(deps);
      effects.outbox.wake();
      state.isStarted = true;
    },
    drain: async (deadlineMs) => {
      state.isDraining = true;
      await Promise.all([durable.drain(deadlineMs), effects.drain(deadlineMs), presence.drain(deadlineMs)]);
    },
    accept: (arrival) => {
      if (state.isDraining) throw draining();
      return ingest.accept(arrival);
    },
    abort: (run, actor) => abortRun(deps, durable, run, actor),
    retry: async (task, actor) => {
      const run = await retryTask(deps, task, actor);
      durable.wake();
      return run;
    },
    steer: (run, text, actor, key) => steerRun(deps, run, text, actor, key),
    approve: async (id, digest, actor) => void (await effects.approve(id, digest, actor)),
    deny: async (id, reason, actor) => void (await effects.deny(id, reason, actor)),
    release: async (id, digest, actor) => void (await effects.release(id, digest, actor)),
    withdraw: async (id, actor) => void (await effects.withdraw(id, actor)),
    edit: async (id, text, actor) => (await effects.edit(id, text, actor)).approval.id,
    resolve: async (id, outcome, actor) => void (await effects.resolve(id, outcome, actor)),
    panicOn: async (actor) => {
      await effects.panicOn(actor);
      // What the disk refuses now is refused again before panic can end.
      await endOpenRuns(deps, panicEnd(principalKey(actor.principal))).catch((thrown: unknown) => {
        deps.log.error({ room: 'panic', error: thrown }, 'open runs could not be ended yet');
      });
    },
    panicOff: async (actor) => {
      await effects.panicOff(actor);
    },
    openGate: (actor) => effects.openGate(actor),
    revoked: async (key) => {
      await effects.revoked(key);
      await endOpenRuns(deps, revokedEnd(key), (requester) => belongsTo(requester, key));
    },
    settingsChanged: async () => {
      await readLanes(deps, lanes);
      durable.wake();
      effects.outbox.wake();
    },
    suggest: makeSuggest(deps),
    health: () => {
      const trouble = deps.store.trouble?.();
      const reasons = [
        ...(state.isStarted ? [] : ['the engine is starting']),
        ...(state.isDraining ? ['the engine is stopping'] : []),
        ...(deps.panic.isOn() ? ['panic is on'] : []),
        ...(trouble === undefined ? [] : [trouble]),
      ];
      return { isReady: reasons.length === 0, reasons };
    },
  };
  const ingest = makeIngest(deps, {
    orders: engine,
    onRun: () => durable.wake(),
    onReply: () => effects.outbox.wake(),
    tell: (words) => effects.teller.tell(words),
  });
  return engine;
}

/** Runs at once per workspace; read at start and when a workspace changes. */
async function readLanes(deps: EngineDeps, lanes: Map<string, number>): Promise<void> {
  for (const workspace of await deps.store.read.find('workspace', {})) {
    lanes.set(workspace.id, Math.max(1, workspace.settings.concurrency ?? DEFAULT_LANE));
  }
}

function draining(): AppError {
  return new AppError({
    code: 'ingest.drain.unavailable',
    kind: 'unavailable',
    message: 'The runtime is stopping. Try again in a moment.',
  });
}
