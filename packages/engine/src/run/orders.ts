import {
  AppError,
  decide,
  isFinalRun,
  moveRun,
  type PolicyRequest,
  type Principal,
  type PublicError,
  principalKey,
  type Run,
  type RunId,
  type StoreTx,
  type TaskId,
} from '@agent-runtime/domain';
import type { Actor, EngineDeps } from '../api.ts';
import type { EmbeddedDurable } from '../durable/index.ts';
import { policyRules } from '../effect/index.ts';
import { requireShort } from '../ingest/limits.ts';
import { makeRun, queueRun } from '../ingest/work.ts';
import { requireLiveKey, signedFacts } from '../signed-facts.ts';
import { endRun } from './finish.ts';
import { loadPlace } from './place.ts';
import { publishState } from './published.ts';

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
    data: signedFacts(actor),
  };
  const aborted = await deps.store.commit(audit, async (tx) => {
    await requireLiveKey(tx, actor);
    const current = (await tx.get('run', { id })) ?? place.run;
    const state = moveRun(current, 'abort');
    const ended: Partial<Run> =
      state === 'aborted' ? { state, finishedAt: deps.clock.nowMs(), error: STOPPED } : { state };
    await tx.update('run', { id, state: current.state }, ended);
    return { ...current, ...ended };
  });
  await durable.cancel(id, 'abort');
  publishState(deps, aborted);
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
    data: { task: id, attempt: run.attempt, ...signedFacts(actor) },
  };
  return deps.store.commit(audit, async (tx) => {
    await requireLiveKey(tx, actor);
    await assertOver(tx, id);
    await queueRun(tx, run);
    return run;
  });
}

/**
 * Adds words to a run that has not ended; its next model call reads them. Only for the sender of the task.
 * @param key of the event that brings them: offered again after a crash, it adds nothing
 * @throws AppError run.id.missing · run.order.denied · run.steer.conflict (it is over) · run.steer.invalid (no words) ·
 *   ingest.prompt.invalid (more than a question may have there)
 */
export async function steerRun(
  deps: EngineDeps,
  id: RunId,
  text: string,
  actor: Actor,
  key?: string,
): Promise<void> {
  const place = await loadPlace(deps.store.read, id);
  await assertMayOrder(deps, 'run.steer', actor, place.task.requester, place.run);
  if (text.trim() === '' || text.length > deps.config.maxPromptChars) {
    throw new AppError({
      code: 'run.steer.invalid',
      kind: 'invalid',
      message: 'Say what to add, in at most one message.',
    });
  }
  requireShort(text, place.settings);
  // The order is durable before the mark of the event that gave it.
  const known = {
    conversation: place.input.conversation,
    sender: principalKey(actor.principal),
    externalId: key,
  };
  if (key !== undefined && (await deps.store.read.count('context_message', known)) > 0) return;
  const audit = {
    action: 'run.steer',
    actor: principalKey(actor.principal),
    subject: id,
    workspace: place.run.workspace,
    context: place.run.context,
    content: text,
    data: signedFacts(actor),
  };
  await deps.store.commit(audit, async (tx) => {
    await requireLiveKey(tx, actor);
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
      // The question may be an event of the appliance; what is added to it is somebody's own words.
      direction: 'in',
      sender: principalKey(actor.principal),
      text,
      run: id,
      externalId: key,
      at: deps.clock.nowMs(),
    });
  });
}

/** Why runs are ended by somebody else than their own end. */
export interface EndReason {
  readonly action: 'panic.runs' | 'run.revoke';
  readonly by: string;
  readonly subject: string;
  readonly error: PublicError;
}

const OPEN = { in: ['queued', 'running', 'aborting'] } as const;

/**
 * Ends every run that has not ended and fits, also those that a process left half-way: after panic or a revocation nothing old starts
 * again. What runs now has been told by its signal and finds its run over.
 */
export async function endOpenRuns(
  deps: EngineDeps,
  why: EndReason,
  fits: (requester: Principal) => boolean = () => true,
): Promise<void> {
  if ((await deps.store.read.count('run', { state: OPEN })) === 0) return;
  const audit = { action: why.action, actor: why.by, subject: why.subject };
  await deps.store.commit(audit, async (tx) => {
    for (const run of await tx.find('run', { state: OPEN })) {
      const task = await tx.get('task', { id: run.task });
      if (task !== undefined && !fits(task.requester)) continue;
      const ended = { state: 'aborted', finishedAt: deps.clock.nowMs(), error: why.error } as const;
      await tx.update('run', { id: run.id, state: run.state }, ended);
      await tx.finishWork(run.id, 'cancelled', why.action);
    }
  });
}

/** Panic, ordered by this principal. */
export function panicEnd(by: string): EndReason {
  return {
    action: 'panic.runs',
    by,
    subject: 'panic',
    error: { code: 'run.panic.cancelled', kind: 'cancelled', message: 'Everything was stopped: panic.' },
  };
}

/** A token, key, identity or grant of this principal was taken away. */
export function revokedEnd(key: string): EndReason {
  return {
    action: 'run.revoke',
    by: 'appliance',
    subject: key,
    error: {
      code: 'run.rights.cancelled',
      kind: 'cancelled',
      message: 'Stopped: rights of who asked were taken away.',
    },
  };
}

/**
 * At start: a run whose durable work ended without it (its attempts were spent, and the process died before it could say so) fails now,
 * for every run ends in a final state.
 */
export async function endOrphans(deps: EngineDeps): Promise<void> {
  const open = await deps.store.read.find('run', { state: OPEN });
  for (const run of open) {
    const work = await deps.journal.get(run.id);
    if (work?.state !== 'failed' && work?.state !== 'cancelled' && work?.state !== 'done') continue;
    const error = new AppError({
      code: 'run.attempts.exhausted',
      kind: 'exhausted',
      message: 'Given up: it never came to an end. Retry it when the cause is gone.',
    });
    try {
      await endRun(deps, await loadPlace(deps.store.read, run.id), error);
    } catch (thrown) {
      deps.log.error({ room: 'run', run_id: run.id, error: thrown }, 'an orphaned run could not be ended');
    }
  }
}

/** A no is a fact of its own in the log, as it is for approvals. */
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
  await deps.store.commit(
    {
      action: 'run.refuse',
      actor: principalKey(actor.principal),
      subject: run.id,
      workspace: run.workspace,
      context: run.context,
      data: { asked: action, via: actor.via, reasons: decision.reasons.map((reason) => reason.code) },
    },
    async () => undefined,
  );
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
