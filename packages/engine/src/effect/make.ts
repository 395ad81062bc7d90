import {
  AppError,
  type Connector,
  type Context,
  type Effect,
  type EffectBytes,
  type EffectId,
  effectDigest,
  type Label,
  type Principal,
  type RunId,
  type TaskId,
} from '@agent-runtime/domain';
import { opensToWorkspace } from './audience.ts';
import { type Act, classOfWrite, EFFECT_KIND, FILES_SINK } from './kind.ts';

/** What an effect needs besides its act. Clock and id are arguments, so that the same input gives the same bytes. */
export interface EffectOrigin {
  readonly id: EffectId;
  readonly nowMs: number;
  readonly context: Context;
  readonly task?: TaskId | undefined;
  readonly run?: RunId | undefined;
  readonly tool?: string | undefined;
  readonly requester: Principal;
  readonly label: Label;
}

/**
 * Builds the effect with its final wire payloads and digest; pure.
 * @returns state `proposed`, decision `ask`, no approval yet
 * @throws AppError effect.sink.invalid (a place that takes no deliveries) · effect.payload.invalid (nothing to send)
 */
export function makeEffect(act: Act, origin: EffectOrigin): Effect {
  const bytes = act.kind === 'message' ? messageBytes(act, origin) : writeBytes(act, origin);
  return {
    ...bytes,
    id: origin.id,
    class: act.kind === 'message' ? 'E1' : classOfWrite(act.path, origin.context.id),
    tool: origin.tool,
    workspace: origin.context.workspace,
    context: origin.context.id,
    task: origin.task,
    run: origin.run,
    requester: origin.requester,
    label: origin.label,
    digest: effectDigest(bytes),
    state: 'proposed',
    decision: 'ask',
    summary: summaryOf(act, bytes, origin),
    createdAt: origin.nowMs,
    notBefore: 0,
    attempts: 0,
    receipts: [],
  };
}

function messageBytes(act: Extract<Act, { kind: 'message' }>, origin: EffectOrigin): EffectBytes {
  const { connector, channel, draft } = act;
  if (connector.delivery !== 'push') {
    throw new AppError({
      code: 'effect.sink.invalid',
      kind: 'invalid',
      message: `${connector.name} takes no posts: its answers are fetched by whoever asked.`,
    });
  }
  return {
    kind: EFFECT_KIND.post,
    sink: sinkOf(connector, channel),
    recipients: [channel],
    payloads: renderDraft(connector, channel, draft, origin),
  };
}

function writeBytes(act: Extract<Act, { kind: 'write' }>, origin: EffectOrigin): EffectBytes {
  return {
    kind: EFFECT_KIND.write,
    sink: { connector: FILES_SINK, account: origin.context.workspace, address: act.path },
    recipients: [],
    payloads: [{ path: act.path, expected: act.expected, text: act.text }],
  };
}

/** A connector's account and an address in it. */
export function sinkOf(connector: Connector, address: string): EffectBytes['sink'] {
  return { connector: connector.name, account: connector.account, address };
}

/** The final wire payloads of a message. @throws AppError effect.payload.invalid */
export function renderDraft(
  connector: Connector,
  address: string,
  draft: Parameters<Connector['render']>[0],
  origin: Pick<EffectOrigin, 'id' | 'nowMs'>,
): EffectBytes['payloads'] {
  const payloads = connector.render(draft, { address, effectId: origin.id, nowMs: origin.nowMs });
  if (payloads.length > 0) return payloads;
  throw new AppError({
    code: 'effect.payload.invalid',
    kind: 'invalid',
    message: 'There is nothing to send: the text is empty.',
  });
}

function summaryOf(act: Act, bytes: EffectBytes, origin: EffectOrigin): string {
  if (act.kind === 'write') {
    const { workspace, id: context } = origin.context;
    const isOpened = opensToWorkspace({
      path: act.path,
      workspace,
      context,
      audience: origin.label.audience,
    });
    const readers = isOpened ? ', which will be readable in the whole workspace' : '';
    return `Write ${act.path}${readers} (${act.text.length} characters)`;
  }
  const parts = bytes.payloads.length === 1 ? '1 message' : `${bytes.payloads.length} messages`;
  return `Post to ${act.connector.name}/${act.channel} (${parts}, ${act.draft.text.length} characters)`;
}
