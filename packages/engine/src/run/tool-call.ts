import {
  AppError,
  type ApprovalId,
  type Citation,
  capModel,
  decide,
  type JsonObject,
  join,
  type Label,
  NOTHING_READ,
  parseArguments,
  type ReachFacts,
  type ToolCall,
  type ToolSpec,
  type ToolTarget,
  toAppError,
} from '@agent-runtime/domain';
import type { EngineDeps } from '../api.ts';
import {
  type Act,
  effectKindOf,
  makeEffect,
  policyRules,
  proposalFacts,
  reachFacts,
} from '../effect/index.ts';
import type { Effects } from '../effects.ts';
import { carryOut, type HostResult, keptLabel, planWrite, staffUrls } from '../tool/index.ts';
import type { RunPlace, RunProgress } from './session.ts';
import type { ToolStepValue } from './step-value.ts';

/** What a tool call did; becomes the journalled step. */
export type ToolOutcome = Omit<ToolStepValue, 'kind' | 'name' | 'callId'>;

/**
 * Carries out one call: arguments -> target -> policy -> perform, propose or refuse. Never throws for what the model can mend:
 * it reads what was wrong and may try again.
 * @param label join of all that the model had read when it asked
 */
export async function runTool(
  deps: EngineDeps,
  effects: Pick<Effects, 'propose'>,
  asked: {
    readonly place: RunPlace;
    readonly progress: RunProgress;
    readonly call: ToolCall;
    readonly label: Label;
    readonly signal: AbortSignal;
  },
): Promise<ToolOutcome> {
  // What a model wrote is at most a member's word, whatever it read.
  const label = capModel(asked.label);
  const tool = deps.tools.find((one) => one.name === asked.call.name);
  try {
    const args = tool === undefined ? undefined : parseArguments(tool, asked.call);
    const target = tool === undefined || args === undefined ? undefined : targetOf(tool, args, asked.place);
    return await decideAndDo(deps, effects, { ...asked, label, tool, args, target });
  } catch (thrown) {
    const error = toAppError(thrown, asked.place.run.id);
    if (error.kind === 'bug' || error.kind === 'cancelled' || error.code.startsWith('database.'))
      throw thrown;
    return { outcome: 'failed', text: error.message, label, sources: [], urls: [] };
  }
}

interface Asked {
  readonly place: RunPlace;
  readonly call: ToolCall;
  readonly label: Label;
  readonly tool: ToolSpec | undefined;
  readonly args: JsonObject | undefined;
  readonly target: ToolTarget | undefined;
  readonly signal: AbortSignal;
}

async function decideAndDo(
  deps: EngineDeps,
  effects: Pick<Effects, 'propose'>,
  asked: Asked,
): Promise<ToolOutcome> {
  const { place, tool, target, label } = asked;
  const { task, context } = place;
  const rules = await policyRules(deps, deps.store.read, context.id, undefined);
  const kind = target === undefined ? undefined : effectKindOf(target);
  const facts = kind === undefined ? NO_FACTS : await proposalFacts(deps.store.read, task.id, kind);
  const decision = decide(
    {
      action: 'tool.call',
      principal: task.requester,
      tool,
      target,
      label,
      reach: await reachOf(deps, asked),
      ...facts,
    },
    rules,
  );
  const reasons = decision.reasons.map((reason) => reason.text).join(' ');
  if (decision.kind === 'deny' || tool === undefined || asked.args === undefined || target === undefined) {
    return { outcome: 'denied', text: reasons, label, sources: [], urls: [] };
  }
  if (decision.kind === 'permit') {
    const done = await carryOut(deps, {
      place,
      tool,
      args: asked.args,
      label,
      signal: asked.signal,
      decision,
    });
    return {
      outcome: 'done',
      text: done.text,
      label: join(label, done.label),
      sources: sourcesOf(done),
      urls: staffUrls(done),
    };
  }
  const { act, kept } = await actOf(deps, asked, target);
  const known = await sameProposal(deps, asked, act);
  const approval =
    known ??
    (
      await effects.propose({
        act,
        context,
        task,
        run: place.run,
        tool: tool.name,
        requester: task.requester,
        label: join(label, kept),
        decision,
        signal: asked.signal,
      })
    ).approval.id;
  return {
    outcome: 'proposed',
    text: `proposed ${approval}. ${reasons} It is not done yet.`,
    label,
    sources: [],
    urls: [],
    approval,
  };
}

const NO_FACTS = { pendingOfTask: 0, wasKindDenied: false };

/** An empty connector name means the one of the origin. */
function targetOf(tool: ToolSpec, args: JsonObject, place: RunPlace): ToolTarget {
  const target = tool.target(args);
  return target.kind === 'message' && target.connector === ''
    ? { ...target, connector: place.context.connector }
    : target;
}

async function reachOf(deps: EngineDeps, asked: Asked): Promise<ReachFacts | undefined> {
  const { target, place, label } = asked;
  if (target?.kind !== 'message') return undefined;
  const connector = deps.connectors.find((one) => one.name === target.connector);
  if (connector === undefined) return undefined;
  return reachFacts(deps.store.read, {
    origin: place.context,
    conversation: place.conversation.id,
    requester: place.task.requester,
    connector,
    channel: target.channel,
    label,
  });
}

/** What an `ask` would do once it is approved, and the label of what the engine itself puts into it. */
async function actOf(
  deps: EngineDeps,
  asked: Asked,
  target: ToolTarget,
): Promise<{ readonly act: Act; readonly kept: Label }> {
  const { args = {}, place } = asked;
  if (target.kind === 'message') {
    const connector = deps.connectors.find((one) => one.name === target.connector);
    if (connector === undefined) throw noConnector(target.connector);
    const draft = { text: String(args.text) };
    return { act: { kind: 'message', connector, channel: target.channel, draft }, kept: NOTHING_READ };
  }
  if (target.kind === 'file') {
    const plan = await planWrite(deps, place.context, target.path, args);
    const kept = (await keptLabel(deps, place.context, target.path, args)) ?? NOTHING_READ;
    return { act: { kind: 'write', ...plan }, kept };
  }
  throw new AppError({
    code: 'tool.target.rejected',
    kind: 'rejected',
    message: 'This kind of act cannot be proposed here yet.',
  });
}

/**
 * A crash between proposing and recording the step must not ask the same question twice, whatever has become of the first one since:
 * the same act of the same run, rendered again under the earlier effect's id and time, has the same digest.
 */
async function sameProposal(deps: EngineDeps, asked: Asked, act: Act): Promise<ApprovalId | undefined> {
  const { run, task, context } = asked.place;
  const earlier = await deps.store.read.find('effect', { run: run.id, tool: asked.call.name });
  const same = earlier.find((effect) => {
    if (effect.state === 'superseded' || effect.kind !== effectKindOf(targetOfAct(act))) return false;
    const again = makeEffect(act, {
      id: effect.id,
      nowMs: effect.createdAt,
      context,
      task: task.id,
      run: run.id,
      tool: asked.call.name,
      requester: task.requester,
      label: effect.label,
    });
    return again.digest === effect.digest;
  });
  return same?.approval;
}

function targetOfAct(act: Act): ToolTarget {
  return act.kind === 'message'
    ? { kind: 'message', connector: act.connector.name, channel: act.channel }
    : { kind: 'file', path: act.path, access: 'write' };
}

function sourcesOf(done: HostResult): readonly Citation[] {
  return done.sources.map(({ path, lines }) => ({ path, line: lines }));
}

function noConnector(name: string): AppError {
  return new AppError({
    code: 'tool.connector.missing',
    kind: 'missing',
    message:
      name === ''
        ? 'Say which connector the channel belongs to.'
        : `There is no connector "${name.slice(0, 40)}" here.`,
  });
}
