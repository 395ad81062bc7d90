import {
  AppError,
  callFingerprint,
  capModel,
  digestOf,
  INTEGRITY,
  isFinalRun,
  isStuck,
  type JsonObject,
  join,
  type Label,
  type Principal,
  type PromptText,
  type RunId,
  type StoreTx,
  type ToolCall,
  toAppError,
  urlsIn,
  type WorkContext,
  type Workflow,
} from '@agent-runtime/domain';
import type { EngineDeps } from '../api.ts';
import { DRAINED } from '../durable/index.ts';
import type { Effects } from '../effects.ts';
import type { Presence } from '../presence/index.ts';
import { answerOf, assertAnswered, isAnswer } from './answer.ts';
import { type AnsweredCall, callModel, pay, payFor } from './call-model.ts';
import { DEADLINE, deadlineError, startDeadline } from './deadline.ts';
import { auditOf, endRun, finishRun } from './finish.ts';
import { type RunMeans, runMeans } from './means.ts';
import { panicEnd, revokedEnd } from './orders.ts';
import { loadPlace } from './place.ts';
import { buildPrompt, skillList } from './prompt-input.ts';
import { publishState } from './published.ts';
import { assertMayGoOn } from './rights.ts';
import { NO_PROGRESS, type RunPlace, type RunProgress, withTurn } from './session.ts';
import { type LlmStepValue, type ToolStepValue, toJson } from './step-value.ts';
import { runTool } from './tool-call.ts';

/**
 * The loop of a run: model call, tool calls, model call, … until it answers. Each of them is one journalled step.
 * @param active requesters of the runs that run now, kept up to date here, so that revoking a right can stop them at once
 * @param presence shows that an answer is being made
 */
export function makeRunWorkflow(
  deps: EngineDeps,
  effects: Pick<Effects, 'propose' | 'outbox'>,
  active: Map<string, Principal>,
  presence: Presence,
): Workflow {
  const means = runMeans();
  return {
    run: async (input, work) => {
      const place = await loadPlace(deps.store.read, runIdOf(input));
      if (isFinalRun(place.run.state)) return;
      if (place.run.state === 'aborting') {
        // Stopped by somebody just before a crash: not one more call is made for it.
        await endRun(deps, place, stoppedError());
        presence.drop(place);
        return;
      }
      active.set(place.run.id, place.task.requester);
      const deadline = startDeadline(deps, work, place);
      const showing = presence.begin(place, deadline.signal, work.attempt);
      try {
        const skills = listedOnce(deps, place);
        await converse({ deps, effects, means, place, work, signal: deadline.signal, skills });
      } catch (thrown) {
        await afterThrow(deps, place, work, deadline.signal, thrown);
      } finally {
        showing.end();
        deadline.stop();
        active.delete(place.run.id);
        effects.outbox.wake();
        publishState(deps, place.run);
      }
    },
    onFailed: async (input, error) => {
      const place = await loadPlace(deps.store.read, runIdOf(input));
      await endRun(deps, place, error);
      presence.drop(place);
      effects.outbox.wake();
      publishState(deps, place.run);
    },
  };
}

interface Session {
  readonly deps: EngineDeps;
  readonly effects: Pick<Effects, 'propose' | 'outbox'>;
  readonly means: RunMeans;
  readonly place: RunPlace;
  readonly work: WorkContext;
  readonly signal: AbortSignal;
  /** Skills that the prompt names; listed once per run. */
  readonly skills: () => Promise<readonly PromptText[]>;
}

function listedOnce(deps: EngineDeps, place: RunPlace): Session['skills'] {
  let listed: Promise<readonly PromptText[]> | undefined;
  return () => {
    listed ??= skillList(deps, place);
    return listed;
  };
}

/** Context and settings as they are now: a place that was opened, or a tool that was taken away, counts from the next step on. */
async function refreshed(session: Session): Promise<Session> {
  return { ...session, place: await loadPlace(session.deps.store.read, session.place.run.id) };
}

async function converse(session: Session): Promise<void> {
  const { place } = session;
  const history: { call: ReturnType<typeof digestOf>; result: ReturnType<typeof digestOf> }[] = [];
  let progress: RunProgress = { ...NO_PROGRESS, trustedUrls: typedUrls(place) };
  for (let n = 1; n <= place.settings.queue.maxSteps; n += 1) {
    const here = await refreshed(session);
    const llm = await llmStep(here, progress, n);
    if (llm.end === 'over') return;
    assertAnswered(llm);
    if (llm.toolCalls.length === 0) {
      progress = withAnswer(progress, llm);
      continue;
    }
    const tools: ToolStepValue[] = [];
    let label: Label = join(progress.label, llm.label);
    for (const [index, call] of llm.toolCalls.entries()) {
      const done = await toolStep(here, { progress, call, label, name: `tool:${n}:${index + 1}` });
      tools.push(done);
      label = join(label, done.label);
      history.push({ call: callFingerprint(call), result: digestOf(done.text) });
      if (isStuck(history)) throw stuck();
    }
    progress = withTurn(progress, llm, tools);
  }
  throw new AppError({
    code: 'run.steps.exhausted',
    kind: 'exhausted',
    message: `No answer after ${place.settings.queue.maxSteps} model calls. Ask for something smaller, or retry.`,
  });
}

/** An answer says nothing new to the model, but what its prompt held counts. */
function withAnswer(progress: RunProgress, llm: LlmStepValue): RunProgress {
  return {
    ...progress,
    label: join(progress.label, llm.label),
    trustedUrls: new Set([...progress.trustedUrls, ...llm.urls]),
  };
}

/** Links in a paired person's own words; not in what they passed on, nor in a stranger's. */
function typedUrls(place: RunPlace): ReadonlySet<string> {
  const { input } = place;
  const isOwn = input.direction === 'in' && input.label.integrity >= INTEGRITY.member;
  return new Set(isOwn ? urlsIn(input.text) : []);
}

/** The run's stored label follows what it has read, so that whoever looks at the run before its end sees the truth. */
async function growLabel(tx: StoreTx, place: RunPlace, label: Label): Promise<void> {
  await tx.update('run', { id: place.run.id }, { label });
}

/**
 * One model call with its record. An answer ends the run in the very transaction that records and pays for the call, so that nothing can
 * come between the two.
 */
async function llmStep(session: Session, progress: RunProgress, n: number): Promise<LlmStepValue> {
  const { deps, place, work, means } = session;
  const name = `llm:${n}`;
  const made: { call?: AnsweredCall } = {};
  try {
    const value = await work.step(
      name,
      async () => {
        await assertMayGoOn(deps, place);
        const prompt = await buildPrompt(deps, place, progress, {
          skills: await session.skills(),
          timeFormat: means.timeFormat,
        });
        const frames = {
          label: capModel(join(progress.label, prompt.label)),
          trustedUrls: new Set([...progress.trustedUrls, ...prompt.urls]),
        };
        const onStarted = (): void => publishState(deps, place.run);
        const answered = await callModel(deps, means, {
          place,
          prompt,
          frames,
          name,
          signal: session.signal,
          onStarted,
        });
        made.call = answered;
        return { prompt, answered };
      },
      async (tx, { prompt, answered }) => {
        const usage = await pay(tx, answered);
        const label = join(progress.label, prompt.label);
        await growLabel(tx, place, label);
        const { text, toolCalls, finish } = answered.outcome;
        const value: LlmStepValue = {
          kind: 'llm',
          name: answered.route.name,
          outcome: 'done',
          text,
          toolCalls,
          finish,
          label: prompt.label,
          usage,
          seenSeq: prompt.seenSeq,
          urls: prompt.urls,
        };
        const end = isAnswer(value)
          ? await answerWith(session, tx, withAnswer(progress, value), value)
          : undefined;
        return toJson(end === undefined ? value : { ...value, end });
      },
      ({ answered }: { readonly answered: AnsweredCall }) =>
        auditOf(place, 'run.step', {
          step: name,
          route: answered.route.name,
          tokens: answered.outcome.usage.inputTokens + answered.outcome.usage.outputTokens,
        }),
    );
    publishStep(deps, place.run.id, name);
    // safe: this step wrote it
    return value as unknown as LlmStepValue;
  } catch (thrown) {
    // A call that was made costs what it cost, also when its answer may not be given any more.
    if (made.call !== undefined && !isDatabaseError(thrown)) await payFor(deps, place, made.call);
    throw thrown;
  }
}

/** Ends the run with the answer, in the transaction of its call; place and rights are those of this very moment. */
async function answerWith(
  session: Session,
  tx: StoreTx,
  progress: RunProgress,
  llm: LlmStepValue,
): Promise<'over' | 'steered'> {
  const { deps, work } = session;
  return finishRun(deps, tx, await loadPlace(tx, session.place.run.id), {
    text: answerOf(llm),
    progress,
    seenSeq: llm.seenSeq,
    isStopped: () => work.signal.aborted && work.signal.reason !== DRAINED,
  });
}

async function toolStep(
  session: Session,
  asked: {
    readonly progress: RunProgress;
    readonly call: ToolCall;
    readonly label: Label;
    readonly name: string;
  },
): Promise<ToolStepValue> {
  const { deps, effects, place, work, signal } = session;
  const { call, name } = asked;
  const value = await work.step(
    name,
    async () => {
      await assertMayGoOn(deps, place);
      if (signal.aborted) throw stoppedError();
      deps.live.publish({ topic: place.run.id, kind: 'tool', data: { tool: call.name } });
      return runTool(deps, effects, { place, progress: asked.progress, call, label: asked.label, signal });
    },
    async (tx, outcome) => {
      await growLabel(tx, place, join(asked.label, outcome.label));
      return toJson({ kind: 'tool', name: call.name, callId: call.id, ...outcome });
    },
    (outcome) =>
      auditOf(place, 'run.step', {
        step: name,
        tool: call.name.slice(0, 60),
        outcome: outcome.outcome,
        arguments: digestOf(call.argumentsJson),
        approval: outcome.approval,
      }),
  );
  publishStep(deps, place.run.id, name);
  // safe: this step wrote it
  return value as unknown as ToolStepValue;
}

/** Decides what a thrown run comes to. A drain or a full disk leaves it resumable; everything else ends it. */
async function afterThrow(
  deps: EngineDeps,
  place: RunPlace,
  work: WorkContext,
  signal: AbortSignal,
  thrown: unknown,
): Promise<void> {
  const isDrain = work.signal.aborted && work.signal.reason === DRAINED;
  const error = toAppError(thrown, place.run.id);
  if (isDrain || isDatabaseError(thrown)) throw thrown;
  deps.log.warn(
    {
      room: 'run',
      run_id: place.run.id,
      task_id: place.task.id,
      context: place.context.id,
      code: error.code,
      detail: error.detail,
    },
    error.message,
  );
  const isDeadline = signal.aborted && signal.reason === DEADLINE;
  await endRun(deps, place, isDeadline ? deadlineError(place) : (stopOf(work.signal) ?? error));
}

/** Whatever broke off because of it: people hear of the panic or the revocation. */
function stopOf(signal: AbortSignal): AppError | undefined {
  if (!signal.aborted) return undefined;
  if (signal.reason === 'panic') return new AppError(panicEnd('appliance').error);
  if (signal.reason === 'revoked') return new AppError(revokedEnd('appliance').error);
  return undefined;
}

/** The disk or its database refused: the run keeps its place and goes on later. */
function isDatabaseError(thrown: unknown): boolean {
  return thrown instanceof AppError && thrown.code.startsWith('database.');
}

function stoppedError(): AppError {
  return new AppError({ code: 'run.stop.cancelled', kind: 'cancelled', message: 'The run was stopped.' });
}

function stuck(): AppError {
  return new AppError({
    code: 'run.progress.exhausted',
    kind: 'exhausted',
    message: 'Stopped: the model asked for the same thing again and again. Ask in other words.',
  });
}

function publishStep(deps: EngineDeps, run: RunId, step: string): void {
  deps.live.publish({ topic: run, kind: 'step', data: { run, step } });
}

function runIdOf(input: JsonObject): RunId {
  return String(input.run) as RunId; // safe: queueRun wrote it
}
