import type { ContextKind, InboundEvent } from '@agent-runtime/domain';

/** Something that a person does in the memory chat. Only `channel` and `sender` must be given. */
export interface Utterance {
  readonly channel: string;
  readonly sender: string;
  readonly text?: string | undefined;
  /** Platform id; two utterances with one id are the same event. Made by counting when absent. */
  readonly externalId?: string | undefined;
  readonly kind?: InboundEvent['kind'] | undefined;
  readonly buttonId?: string | undefined;
  /** Of a press: the message that the button stands on. */
  readonly message?: string | undefined;
  /** The message that this one answers. */
  readonly repliesTo?: string | undefined;
  readonly displayName?: string | undefined;
  readonly channelKind?: ContextKind | undefined;
  readonly title?: string | undefined;
  /** What the channel lies in. */
  readonly group?: string | undefined;
  readonly parent?: string | undefined;
  readonly member?: InboundEvent['member'];
  readonly movedFrom?: string | undefined;
  readonly attachments?: InboundEvent['attachments'];
  /** Default: true. */
  readonly isAddressed?: boolean | undefined;
  readonly isRelayed?: boolean | undefined;
  readonly isBot?: boolean | undefined;
  readonly sentAt?: number | undefined;
}

/** What the chat knows of a channel before anyone speaks there. */
export interface MemoryChannel {
  readonly id: string;
  readonly kind: ContextKind;
  readonly title: string;
}

/** @param fallback what counts when the utterance does not say */
export function toInbound(
  utterance: Utterance,
  fallback: {
    readonly source: string;
    readonly externalId: string;
    readonly nowMs: number;
    readonly channel?: MemoryChannel | undefined;
    readonly displayName?: string | undefined;
  },
): InboundEvent {
  const { channel } = fallback;
  return {
    source: fallback.source,
    externalId: utterance.externalId ?? fallback.externalId,
    kind: utterance.kind ?? (utterance.buttonId === undefined ? 'message' : 'button'),
    channel: {
      id: utterance.channel,
      kind: utterance.channelKind ?? channel?.kind ?? 'channel',
      title: utterance.title ?? channel?.title ?? utterance.channel,
      group: utterance.group,
      parent: utterance.parent,
    },
    sender: {
      id: utterance.sender,
      displayName: utterance.displayName ?? fallback.displayName ?? utterance.sender,
      isBot: utterance.isBot ?? false,
    },
    text: utterance.text ?? '',
    message: utterance.message,
    repliesTo: utterance.repliesTo,
    buttonId: utterance.buttonId,
    member: utterance.member,
    movedFrom: utterance.movedFrom,
    attachments: utterance.attachments,
    isAddressed: utterance.isAddressed ?? true,
    isRelayed: utterance.isRelayed ?? false,
    sentAt: utterance.sentAt ?? fallback.nowMs,
  };
}
