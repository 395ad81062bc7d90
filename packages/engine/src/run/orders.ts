import {
  AppError,
  decide,
  isFinalRun,
  moveRun,
  type PolicyRequest,
  type Principal,
  principalKey,
  type Run,
  type RunId,
  type StoreTx,
  type TaskId,
} from '@agent-runtime/domain';
import type { Actor, EngineDeps } from '../api.ts';
import type { EmbeddedDurable } from '../durable/index.ts';
import { policyRules } from '../effect/index.ts';
import { makeRun } from '../ingest/work.ts';
import { loadPlace } from './place.ts';

type Order = Extract<PolicyRequest['action'], 'run.abort' | 'run.retry' | 'run.steer'>;

/**
 * Stops a run: a queued one at once, a running one at its next await.
 * @throws AppError run.id.missing · run.order.denied · task.run.conflict (it is over)
 */
export async function abortRun(
  deps: EngineDeps,
  durable: EmbeddedDurable,
  id: RunId,
  actor: Actor,
): Promise<Run> {
  const place = await loadPlace(deps.store.read, id);
  await assertMayOrder(deps, 'run.abort', actor, place.task.requester, place.run);
  const audit = {
    action: 'run.abort',
    actor: principalKey(actor.principal),
    subject: id,
    workspace: place.run.workspace,
    context: place.run.context,
    data: { via: actor.via },
  };
  const aborted = await deps.store.commit(audit, async (tx) => {
    const current = (await tx.get('run', { id })) ?? place.run;
    const state = moveRun(current, 'abort');
    const ended: Partial<Run> =
      state === 'aborted' ? { state, finishedAt: deps.clock.nowMs(), error: STOPPED } : { state };
    await tx.update('run', { id, state: current.state }, ended);
    return { ...current, ...ended };
  });
  await durable.cancel(id, 'abort');
  deps.live.publish({ topic: id, kind: 'state', data: { run: id } });
  return aborted;
}

const STOPPED = { code: 'run.abort.cancelled', kind: 'cancelled', message: 'Stopped on request.' } as const;

/** A fresh run of the same task. @throws AppError run.id.missing · run.order.denied · run.retry.conflict (one is still open) */
export async function retryTask(deps: EngineDeps, id: TaskId, actor: Actor): Promise<Run> {
  const [last] = await deps.store.read.find(
    'run',
    { task: id },
    { orderBy: 'attempt', direction: 'desc', limit: 1 },
  );
  const task = await deps.store.read.get('task', { id });
  if (last === undefined || task === undefined) throw missing(id);
  await assertMayOrder(deps, 'run.retry', actor, task.requester, last);
  const run = makeRun(deps, task, last.input, last.attempt + 1);
  const audit = {
    action: 'run.retry',
    actor: principalKey(actor.principal),
    subject: run.id,
    workspace: run.workspace,
    context: run.context,
    data: { task: id, attempt: run.attempt, via: actor.via },
  };
  return deps.store.commit(audit, async (tx) => {
    await assertOver(tx, id);
    await tx.insert('run', run);
    return run;
  });
}

/**
 * Adds words to a run that has not ended; its next model call reads them. Only for the sender of the task.
 * @throws AppError run.id.missing · run.order.denied · run.steer.conflict (it is over) · run.steer.invalid (no words)
 */
export async function steerRun(deps: EngineDeps, id: RunId, text: string, actor: Actor): Promise<void> {
  const place = await loadPlace(deps.store.read, id);
  await assertMayOrder(deps, 'run.steer', actor, place.task.requester, place.run);
  if (text.trim() === '' || text.length > deps.config.maxPromptChars) {
    throw new AppError({
      code: 'run.steer.invalid',
      kind: 'invalid',
      message: 'Say what to add, in at most one message.',
    });
  }
  const audit = {
    action: 'run.steer',
    actor: principalKey(actor.principal),
    subject: id,
    workspace: place.run.workspace,
    context: place.run.context,
    content: text,
  };
  await deps.store.commit(audit, async (tx) => {
    const current = await tx.get('run', { id });
    if (current === undefined || isFinalRun(current.state)) {
      throw new AppError({
        code: 'run.steer.conflict',
        kind: 'conflict',
        message: `${id} is over. Send your words as a new message.`,
      });
    }
    await tx.insert('context_message', {
      ...place.input,
      id: deps.ids.make('message'),
      seq: await tx.next('message'),
      text,
      run: id,
      externalId: undefined,
      at: deps.clock.nowMs(),
    });
  });
}

/** Ends every run that has not ended, of everybody: panic. Running ones are told by their signal and end themselves. */
export async function endQueuedRuns(deps: EngineDeps, by: string): Promise<void> {
  const queued = await deps.store.read.find('run', { state: 'queued' });
  if (queued.length === 0) return;
  await deps.store.commit(
    { action: 'panic.runs', actor: by, subject: 'panic', data: { runs: queued.length } },
    async (tx) => {
      for (const { id } of queued) {
        await tx.update(
          'run',
          { id, state: 'queued' },
          { state: 'aborted', finishedAt: deps.clock.nowMs(), error: PANICKED },
        );
        await tx.finishWork(id, 'cancelled', 'panic');
      }
    },
  );
}

const PANICKED = {
  code: 'run.panic.cancelled',
  kind: 'cancelled',
  message: 'Everything was stopped: panic.',
} as const;

async function assertMayOrder(
  deps: EngineDeps,
  action: Order,
  actor: Actor,
  requester: Principal,
  run: Run,
): Promise<void> {
  const rules = await policyRules(deps, deps.store.read, run.context);
  const decision = decide({ action, principal: actor.principal, requester }, rules);
  if (decision.kind === 'permit') return;
  throw new AppError({
    code: 'run.order.denied',
    kind: 'denied',
    message: decision.reasons.map((reason) => reason.text).join(' '),
  });
}

async function assertOver(tx: StoreTx, task: TaskId): Promise<void> {
  const open = await tx.count('run', { task, state: { in: ['queued', 'running', 'aborting'] } });
  if (open === 0) return;
  throw new AppError({
    code: 'run.retry.conflict',
    kind: 'conflict',
    message: `${task} is still at work. Abort it first, or wait.`,
  });
}

function missing(id: string): AppError {
  return new AppError({
    code: 'run.id.missing',
    kind: 'missing',
    message: `There is no ${id}, or not for you.`,
  });
}
