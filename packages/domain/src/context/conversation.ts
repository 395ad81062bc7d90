import type { ContextId, ConversationId, MessageId, RunId, WorkspaceId } from '../base/index.ts';
import type { Label } from '../label/index.ts';

/** One thread of talk in a context; `/new` and idle time begin a fresh one under the same key. */
export interface Conversation {
  readonly id: ConversationId;
  readonly workspace: WorkspaceId;
  readonly context: ContextId;
  /** The door's own key: channel and thread, or conversation_key of HTTP. */
  readonly key: string;
  readonly isOpen: boolean;
  readonly createdAt: number;
  readonly lastAt: number;
}

/** A file, picture or recording that came with a message. Kept as what is known of it; nobody has looked inside. */
export interface Attachment {
  readonly kind: 'photo' | 'voice' | 'audio' | 'video' | 'document' | 'sticker' | 'other';
  /** Names it on its platform. */
  readonly id: string;
  readonly name?: string | undefined;
  readonly mime?: string | undefined;
  readonly bytes?: number | undefined;
}

/** One thing said, in or out. */
export interface Message {
  readonly id: MessageId;
  /** Grows by arrival inside the appliance; the order of logs and prompts. */
  readonly seq: number;
  readonly conversation: ConversationId;
  readonly workspace: WorkspaceId;
  readonly context: ContextId;
  readonly direction: 'in' | 'out' | 'event';
  /** Principal key, or `assistant`, or `appliance` for notices. */
  readonly sender: string;
  /** As shown; user-role data, never trusted. */
  readonly senderName: string;
  readonly text: string;
  readonly label: Label;
  /** Texts of unpaired people in contexts without guests are logged but kept out of prompts. */
  readonly isPromptable: boolean;
  readonly run?: RunId | undefined;
  /** Platform id of the message, what an answer replies to. */
  readonly externalId?: string | undefined;
  readonly attachments?: readonly Attachment[] | undefined;
  readonly at: number;
}

/** Does the next message begin a fresh conversation? */
export function isRotationDue(conversation: Conversation, idleRotationMs: number, nowMs: number): boolean {
  return !conversation.isOpen || nowMs - conversation.lastAt >= idleRotationMs;
}
