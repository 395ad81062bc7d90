import {
  AppError,
  type AuditDraft,
  capModel,
  citationsOf,
  type Effect,
  isFinalRun,
  moveRun,
  type PublicError,
  principalKey,
  publicLabel,
  type Run,
  type StoreTx,
  toPublicError,
} from '@agent-runtime/domain';
import type { EngineDeps } from '../api.ts';
import { replyEffect } from '../effect/index.ts';
import { writeMirror } from '../hub/mirror.ts';
import { writeNotice } from '../notify/index.ts';
import { talkAt } from '../presence/talk.ts';
import { assertMayGoOn } from './rights.ts';
import type { RunPlace, RunProgress } from './session.ts';
import { newestSteering } from './steering.ts';

/** Nothing the appliance itself says about a run is secret. */
const APPLIANCE_LABEL = publicLabel(2);

/**
 * Ends a run with its answer: run, message, reply effect and the end of the durable work in the caller's transaction, in which the rights of
 * who asked are looked at once more.
 * @param place as this transaction sees it
 * @returns `steered` when words were added that the answer does not know: the model must be asked again; else `over`, also when someone
 *   ended the run before
 * @throws AppError run.rights.cancelled, run.panic.cancelled, run.stop.cancelled: the transaction must not be kept
 */
export async function finishRun(
  deps: EngineDeps,
  tx: StoreTx,
  place: RunPlace,
  answer: {
    readonly text: string;
    readonly progress: RunProgress;
    /** Newest message that the model had read. */
    readonly seenSeq: number;
    /** Was the run told to stop, otherwise than to make room for a restart? */
    readonly isStopped: () => boolean;
  },
): Promise<'over' | 'steered'> {
  const { context, task, run } = place;
  if (isFinalRun(run.state)) return 'over';
  // Aborted while the last words came in: the abort wins and nothing is shown.
  if (run.state === 'aborting') {
    await endAborted(deps, tx, run);
    return 'over';
  }
  await assertMayGoOn(deps, place, tx);
  if ((await newestSteering(tx, place)) > answer.seenSeq) return 'steered';
  const label = capModel(answer.progress.label);
  // Where it was shown in the making, the answer takes that message over.
  const live = talkAt(deps.connectors, context, task.door) === undefined ? undefined : run.id;
  const reply = replyEffect(deps, {
    context,
    requester: task.requester,
    draft: { text: answer.text, replyTo: place.input.externalId, live },
    label,
    trustedUrls: answer.progress.trustedUrls,
    kind: 'reply',
    door: task.door,
    task: task.id,
    run: run.id,
  });
  const citations = citationsOf(reply.text, answer.progress.sources);
  const ended: Partial<Run> = {
    state: moveRun(run, 'succeed'),
    finishedAt: deps.clock.nowMs(),
    output: reply.text,
    citations,
    pendingApprovals: answer.progress.approvals,
    label,
  };
  await tx.update('run', { id: run.id, state: run.state }, ended);
  await tx.insert('effect', reply.effect);
  if (reply.effect.state === 'approved')
    await writeMirror(deps, tx, context, { direction: 'out', text: reply.text, label: reply.effect.label });
  await writeAnswer(deps, tx, place, reply);
  await tx.finishWork(run.id, 'done');
  tx.audit(
    auditOf(place, 'run.succeed', { citations: citations.length, output: reply.effect.digest }, reply.text),
  );
  // Last of all: panic and revocation act in memory first, and may have come while this was being written.
  if (deps.panic.isOn()) throw panicked();
  if (answer.isStopped()) throw stopped();
  return 'over';
}

async function writeAnswer(
  deps: EngineDeps,
  tx: StoreTx,
  place: RunPlace,
  reply: { readonly text: string; readonly effect: Effect },
): Promise<void> {
  const { context, conversation, run } = place;
  const nowMs = deps.clock.nowMs();
  await tx.insert('context_message', {
    id: deps.ids.make('message'),
    seq: await tx.next('message'),
    conversation: conversation.id,
    workspace: context.workspace,
    context: context.id,
    direction: 'out',
    sender: 'assistant',
    senderName: 'assistant',
    text: reply.text,
    label: reply.effect.label,
    isPromptable: true,
    run: run.id,
    at: nowMs,
  });
  await tx.update('context_conversation', { id: conversation.id }, { lastAt: nowMs });
}

/** Ends a run without an answer: `failed` with words for people, or `aborted`. In chat a notice says so. */
export async function endRun(
  deps: EngineDeps,
  place: Pick<RunPlace, 'run' | 'task' | 'context' | 'conversation'>,
  error: AppError,
): Promise<Run> {
  const shown: PublicError = toPublicError(error);
  const isAbort = error.kind === 'cancelled';
  const audit = auditOf(place, isAbort ? 'run.abort' : 'run.fail', { code: shown.code, kind: shown.kind });
  return deps.store.commit(audit, async (tx) => {
    const current = await currentRun(tx, place.run);
    if (isFinalRun(current.state)) {
      await tx.finishWork(current.id, 'done');
      return current;
    }
    if (current.state === 'aborting') return endAborted(deps, tx, current);
    const ended: Partial<Run> = {
      state: endState(current, isAbort),
      finishedAt: deps.clock.nowMs(),
      error: shown,
    };
    await tx.update('run', { id: current.id, state: current.state }, ended);
    await tx.finishWork(current.id, isAbort ? 'cancelled' : 'failed', shown.code);
    if (!isAbort) await tellFailure(deps, tx, place, shown);
    return { ...current, ...ended };
  });
}

function endState(run: Run, isAbort: boolean): Run['state'] {
  if (!isAbort) return moveRun(run, 'fail');
  return run.state === 'queued'
    ? moveRun(run, 'abort')
    : moveRun({ ...run, state: moveRun(run, 'abort') }, 'stopped');
}

async function endAborted(deps: EngineDeps, tx: StoreTx, current: Run): Promise<Run> {
  const ended: Partial<Run> = {
    state: moveRun(current, 'stopped'),
    finishedAt: deps.clock.nowMs(),
    error: { code: 'run.abort.cancelled', kind: 'cancelled', message: 'Stopped on request.' },
  };
  await tx.update('run', { id: current.id, state: current.state }, ended);
  await tx.finishWork(current.id, 'cancelled', 'aborted');
  return { ...current, ...ended };
}

async function tellFailure(
  deps: EngineDeps,
  tx: StoreTx,
  place: Pick<RunPlace, 'run' | 'task' | 'context' | 'conversation'>,
  error: PublicError,
): Promise<void> {
  await writeNotice(deps, tx, {
    key: `run:${place.run.id}:failed`,
    workspace: place.context.workspace,
    context: place.context.id,
    draft: { text: `That did not work: ${error.message} (${place.run.id})` },
    label: APPLIANCE_LABEL,
    conversation: place.conversation.id,
    task: place.task.id,
    run: place.run.id,
    isAnswer: true,
  });
}

/** The run as this transaction sees it. */
export async function currentRun(tx: StoreTx, run: Run): Promise<Run> {
  const current = await tx.get('run', { id: run.id });
  if (current !== undefined) return current;
  throw new AppError({ code: 'run.row.bug', kind: 'bug', message: `${run.id} has no row.` });
}

/** Audit of a run's move: metadata, with the text only as content, which the configuration may keep out. */
export function auditOf(
  place: { readonly run: Run; readonly task: RunPlace['task']; readonly context: RunPlace['context'] },
  action: 'run.start' | 'run.succeed' | 'run.fail' | 'run.abort' | 'run.step',
  data: NonNullable<AuditDraft['data']> = {},
  content?: string,
): AuditDraft {
  return {
    action,
    actor: principalKey(place.task.requester),
    subject: place.run.id,
    workspace: place.context.workspace,
    context: place.context.id,
    data: { task: place.task.id, ...data },
    content,
  };
}

function stopped(): AppError {
  return new AppError({ code: 'run.stop.cancelled', kind: 'cancelled', message: 'The run was stopped.' });
}

function panicked(): AppError {
  return new AppError({
    code: 'run.panic.cancelled',
    kind: 'cancelled',
    message: 'Everything was stopped: panic is on.',
  });
}
