import {
  type Connector,
  type Context,
  type ConversationId,
  ctxTag,
  type Label,
  type Principal,
  personOf,
  type ReachFacts,
  type Sink,
  type StoreReader,
  type TaskId,
  type UserId,
} from '@agent-runtime/domain';
import { EFFECT_KIND } from './kind.ts';

/** What policy must know of a task before it may ask once more. */
export interface ProposalFacts {
  readonly pendingOfTask: number;
  readonly wasKindDenied: boolean;
}

/**
 * Counts the open questions of a task and looks for an earlier no.
 * @param kind an effect kind, see `effectKindOf`
 */
export async function proposalFacts(
  reader: StoreReader,
  task: TaskId | undefined,
  kind: string,
): Promise<ProposalFacts> {
  if (task === undefined) return { pendingOfTask: 0, wasKindDenied: false };
  const pendingOfTask = await reader.count('effect', { task, state: 'proposed' });
  const denied = await reader.find('effect', { task, state: 'denied', kind });
  // What settle stopped carries its reason as an error; a person's no carries none.
  return { pendingOfTask, wasKindDenied: denied.some((effect) => effect.error === undefined) };
}

/** Where a message would go, and from where. */
export interface ReachQuestion {
  readonly origin: Context;
  readonly conversation?: ConversationId | undefined;
  readonly requester: Principal;
  readonly connector: Connector;
  readonly channel: string;
  readonly label: Label;
}

/** Whom a post would reach, from rows alone: bound contexts, earlier deliveries, participants of the conversation. */
export async function reachFacts(reader: StoreReader, question: ReachQuestion): Promise<ReachFacts> {
  const { connector, channel, origin } = question;
  const sink: Sink = { connector: connector.name, account: connector.account, address: channel };
  const bound = await reader.get('context', {
    connector: sink.connector,
    account: sink.account,
    channel,
    workspace: origin.workspace,
  });
  const isOrigin = bound?.id === origin.id;
  const isParticipant =
    bound?.directWith !== undefined && (await participantsOf(reader, question)).has(bound.directWith);
  const isKnownChannel = bound !== undefined;
  const isKnown = isKnownChannel || (await wasWrittenTo(reader, origin, sink));
  return {
    hasNewRecipient: !isKnown,
    isReplyToParticipants: isOrigin || isParticipant,
    isKnownChannel,
    isBackToSource:
      isOrigin && question.label.audience.every((tag) => tag === ctxTag(origin.workspace, origin.id)),
    hasAttachment: false,
  };
}

async function wasWrittenTo(reader: StoreReader, origin: Context, sink: Sink): Promise<boolean> {
  const done = await reader.find('effect', {
    workspace: origin.workspace,
    kind: EFFECT_KIND.post,
    state: 'done',
  });
  return done.some(
    (effect) =>
      effect.sink.connector === sink.connector &&
      effect.sink.account === sink.account &&
      effect.sink.address === sink.address,
  );
}

async function participantsOf(
  reader: StoreReader,
  question: ReachQuestion,
): Promise<ReadonlySet<UserId | string>> {
  const people = new Set<string>();
  const requester = personOf(question.requester);
  if (requester !== undefined) people.add(requester);
  if (question.conversation === undefined) return people;
  const messages = await reader.find('context_message', {
    conversation: question.conversation,
    direction: 'in',
  });
  for (const message of messages) people.add(message.sender);
  return people;
}
