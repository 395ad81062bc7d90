import {
  type AuditDraft,
  type Context,
  type EffectiveSettings,
  type IngestedEvent,
  type Message,
  type PolicyRules,
  principalKey,
  type RunId,
  type StoreTx,
  type TaskId,
} from '@agent-runtime/domain';
import type { Arrival, EngineDeps } from '../api.ts';
import { writeMirror } from '../hub/mirror.ts';
import { arrivalDigest } from './arrival.ts';
import { openConversation } from './conversation.ts';
import { labelOfMessage, type Whereabouts } from './who.ts';

/** One arrival at a bound place. */
export interface Place {
  readonly arrival: Arrival;
  readonly where: Whereabouts;
  readonly context: Context;
  /** As they were when it arrived. */
  readonly rules: PolicyRules;
}

/** Keeps words that start nothing in the conversation that they were said in. */
export async function keepWords(
  deps: EngineDeps,
  tx: StoreTx,
  at: Place,
  how: { readonly settings: EffectiveSettings; readonly isPromptable: boolean },
): Promise<void> {
  const { arrival, context } = at;
  const { settings, isPromptable } = how;
  const conversation = await openConversation(deps, tx, { context, settings, key: arrival.conversationKey });
  await writeMessage(deps, tx, at, { conversation: conversation.id, text: arrival.event.text, isPromptable });
}

/** A message that stands for an older one, too: everything of both. */
export type Joined = Pick<Message, 'text' | 'label' | 'attachments'>;

/** Writes what arrived; the hub is shown what was said now, also where it stands for more. */
export async function writeMessage(
  deps: EngineDeps,
  tx: StoreTx,
  at: Place,
  what: {
    readonly conversation: Message['conversation'];
    readonly text: string;
    readonly isPromptable: boolean;
    readonly of?: Joined | undefined;
  },
): Promise<Message> {
  const { arrival, where, context } = at;
  const message: Message = {
    id: deps.ids.make('message'),
    seq: await tx.next('message'),
    conversation: what.conversation,
    workspace: context.workspace,
    context: context.id,
    direction: 'in',
    sender: principalKey(where.principal),
    senderName: arrival.event.sender.displayName,
    text: what.text,
    label: labelOfMessage(arrival, where.principal, context),
    isPromptable: what.isPromptable,
    externalId: messageId(arrival),
    attachments: arrival.event.attachments,
    at: deps.clock.nowMs(),
    ...what.of,
  };
  await tx.insert('context_message', message);
  if (arrival.door === 'chat')
    await writeMirror(deps, tx, context, { ...message, text: what.text, direction: 'in' });
  return message;
}

/** Platform id of the message that an answer replies to. */
export function messageId(arrival: Arrival): string {
  return arrival.event.message ?? arrival.event.externalId;
}

export function markOf(
  deps: Pick<EngineDeps, 'clock'>,
  arrival: Arrival,
  came: {
    readonly outcome: IngestedEvent['outcome'];
    readonly task?: TaskId;
    readonly run?: RunId;
    readonly reply?: string;
    readonly isQueued?: boolean;
  },
): IngestedEvent {
  const { source, externalId } = arrival.event;
  const isQueued = came.isQueued === true ? true : undefined;
  return { source, externalId, digest: arrivalDigest(arrival), at: deps.clock.nowMs(), ...came, isQueued };
}

export function auditOf(
  at: Place,
  action: 'ingest.accept' | 'ingest.log' | 'ingest.command' | 'ingest.press' | 'ingest.refuse',
  data: NonNullable<AuditDraft['data']>,
  content: string,
): AuditDraft {
  const { arrival, where, context } = at;
  return {
    action,
    actor: principalKey(where.principal),
    subject: `${arrival.event.source}:${arrival.event.externalId}`,
    workspace: context.workspace,
    context: context.id,
    data: { door: arrival.door, ...data },
    content,
  };
}
