import {
  AppError,
  type ApprovalId,
  type Citation,
  capModel,
  decide,
  type JsonObject,
  join,
  type Label,
  parseArguments,
  type ReachFacts,
  type ToolCall,
  type ToolSpec,
  type ToolTarget,
  toAppError,
} from '@agent-runtime/domain';
import type { EngineDeps } from '../api.ts';
import { type Act, effectKindOf, policyRules, proposalFacts, reachFacts } from '../effect/index.ts';
import type { Effects } from '../effects.ts';
import { carryOut, type HostResult, planWrite } from '../tool/index.ts';
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
    return { outcome: 'failed', text: error.message, label, sources: [] };
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
    return { outcome: 'denied', text: reasons, label, sources: [] };
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
    return { outcome: 'done', text: done.text, label: join(label, done.label), sources: sourcesOf(done) };
  }
  const act = await actOf(deps, asked, target);
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
        label,
        decision,
      })
    ).approval.id;
  return {
    outcome: 'proposed',
    text: `proposed ${approval}. ${reasons} It is not done yet.`,
    label,
    sources: [],
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

/** What an `ask` would do once it is approved. */
async function actOf(deps: EngineDeps, asked: Asked, target: ToolTarget): Promise<Act> {
  const { args = {}, place } = asked;
  if (target.kind === 'message') {
    const connector = deps.connectors.find((one) => one.name === target.connector);
    if (connector === undefined) throw noConnector(target.connector);
    return { kind: 'message', connector, channel: target.channel, draft: { text: String(args.text) } };
  }
  if (target.kind === 'file')
    return { kind: 'write', ...(await planWrite(deps, place.context, target.path, args)) };
  throw new AppError({
    code: 'tool.target.rejected',
    kind: 'rejected',
    message: 'This kind of act cannot be proposed here yet.',
  });
}

/** A crash between proposing and recording the step must not ask the same question twice. */
async function sameProposal(deps: EngineDeps, asked: Asked, act: Act): Promise<ApprovalId | undefined> {
  const open = await deps.store.read.find('effect', { run: asked.place.run.id, state: 'proposed' });
  const address = act.kind === 'message' ? act.channel : act.path;
  const text = act.kind === 'message' ? act.draft.text : act.text;
  const same = open.find(
    (effect) =>
      effect.tool === asked.call.name && effect.sink.address === address && textOf(effect.payloads) === text,
  );
  return same?.approval;
}

function textOf(payloads: readonly JsonObject[]): string {
  return payloads.map((payload) => String(payload.text ?? '')).join('');
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
