import {
  AppError,
  type Context,
  type Conversation,
  type ConversationId,
  type Door,
  decide,
  type Effect,
  type Label,
  type MessageId,
  type PolicyRules,
  type Principal,
  type RunId,
  type StoreReader,
  type StoreTx,
  type TaskId,
} from '@agent-runtime/domain';
import type { EngineDeps, NoticeRequest } from '../api.ts';
import { type Reply, replyEffect } from '../effect/reply.ts';
import { policyRules } from '../effect/rules.ts';
import { writeMirror } from '../hub/mirror.ts';

/** A notice and what is known of its words. */
export interface NoticeInput extends NoticeRequest {
  readonly label: Label;
  readonly trustedUrls?: ReadonlySet<string> | undefined;
  /** Where it is kept; else the newest open conversation of the context. */
  readonly conversation?: ConversationId | undefined;
  readonly task?: TaskId | undefined;
  readonly run?: RunId | undefined;
  /** It answers what somebody asked for here: it is also said where a place wants nothing but answers. */
  readonly isAnswer?: boolean | undefined;
}

/** `given` before, `withheld` by policy, `silent` where a place wants answers only, or written; `effect` only where the door is pushed to. */
export type Noticed =
  | { readonly kind: 'given' }
  | { readonly kind: 'withheld' }
  | { readonly kind: 'silent' }
  | {
      readonly kind: 'written';
      /** As people see it. */
      readonly text: string;
      readonly message?: MessageId | undefined;
      readonly effect?: Effect | undefined;
    };

/**
 * Writes one notice in the caller's transaction: once per key, only what may be shown there, filtered. Doors that fetch their answers
 * find it among the messages; the others get an outbox row. Under panic and behind a closed gate nothing is queued for later.
 */
export async function writeNotice(deps: EngineDeps, tx: StoreTx, input: NoticeInput): Promise<Noticed> {
  if ((await tx.get('notify_notice', { key: input.key })) !== undefined) return { kind: 'given' };
  const rules = await policyRules(deps, tx, input.context);
  await tx.insert('notify_notice', { key: input.key, at: rules.nowMs });
  if (rules.settings?.output === 'answers' && input.isAnswer !== true) return { kind: 'silent' };
  const decision = decide({ action: 'effect.show', class: 'E0', label: input.label }, rules);
  if (decision.kind !== 'permit' || rules.context === undefined) {
    tx.audit({
      action: 'notify.withhold',
      actor: 'appliance',
      subject: input.key,
      workspace: input.workspace,
      context: input.context,
      data: { reasons: decision.reasons.map((reason) => reason.code) },
    });
    return { kind: 'withheld' };
  }
  return writeShown(deps, tx, input, rules);
}

/** The same in a commit of its own. */
export function notify(deps: EngineDeps, input: NoticeInput): Promise<Noticed> {
  return deps.store.commit(
    {
      action: 'notify.write',
      actor: 'appliance',
      subject: input.key,
      workspace: input.workspace,
      context: input.context,
    },
    (tx) => writeNotice(deps, tx, input),
  );
}

async function writeShown(
  deps: EngineDeps,
  tx: StoreTx,
  input: NoticeInput,
  rules: PolicyRules,
): Promise<Noticed> {
  const { context } = rules;
  if (context === undefined) return { kind: 'withheld' };
  // Notices are acts of the context's own service; they end with its owner's role.
  const requester: Principal = { kind: 'service', context: context.id, owner: context.owner };
  const task = input.task === undefined ? undefined : await tx.get('task', { id: input.task });
  const reply = render(deps, tx, input, { context, requester, door: task?.door });
  if (reply === undefined) return { kind: 'withheld' };
  const { effect, text } = reply;
  const conversation = input.conversation ?? (await newestConversation(tx, input))?.id;
  let message: MessageId | undefined;
  if (conversation !== undefined) {
    message = deps.ids.make('message');
    await tx.insert('context_message', {
      id: message,
      seq: await tx.next('message'),
      conversation,
      workspace: input.workspace,
      context: input.context,
      direction: 'out',
      sender: 'appliance',
      senderName: 'appliance',
      text,
      label: effect.label,
      isPromptable: false,
      run: input.run,
      at: rules.nowMs,
    });
  }
  const isQueued = effect.state === 'approved' && !rules.isPanicOn && !rules.isGateClosed;
  if (isQueued) {
    await tx.insert('effect', effect);
    await writeMirror(deps, tx, context, { direction: 'out', text, label: effect.label });
  }
  return { kind: 'written', text, message, effect: isQueued ? effect : undefined };
}

/**
 * A notice often travels in the commit that records an outcome. A connector that cannot render it must not undo that record, so its
 * error becomes an audit event instead of a throw.
 */
function render(
  deps: EngineDeps,
  tx: StoreTx,
  input: NoticeInput,
  place: {
    readonly context: Context;
    readonly requester: Principal;
    /** Of the task that the notice is about: its notices go the way of its answer. */
    readonly door: Door | undefined;
  },
): Reply | undefined {
  try {
    return replyEffect(deps, {
      ...place,
      draft: input.draft,
      label: input.label,
      trustedUrls: input.trustedUrls ?? new Set(),
      kind: 'notice',
      task: input.task,
      run: input.run,
    });
  } catch (thrown) {
    tx.audit({
      action: 'notify.fail',
      actor: 'appliance',
      subject: input.key,
      workspace: input.workspace,
      context: input.context,
      data: { error: thrown instanceof AppError ? thrown.code : 'base.invariant.bug' },
    });
    return undefined;
  }
}

async function newestConversation(
  reader: StoreReader,
  input: Pick<NoticeInput, 'context'>,
): Promise<Conversation | undefined> {
  const [newest] = await reader.find(
    'context_conversation',
    { context: input.context, isOpen: true },
    { orderBy: 'lastAt', direction: 'desc', limit: 1 },
  );
  return newest;
}
