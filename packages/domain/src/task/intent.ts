import type {
  ContextId,
  ConversationId,
  EffectId,
  IntentId,
  MessageId,
  RunId,
  TaskId,
  WorkspaceId,
} from '../base/index.ts';
import type { Principal } from '../identity/index.ts';
import type { Label } from '../label/index.ts';
import type { TaskKind } from './task.ts';

/**
 * A wish as it was understood. `asked`: waits for its sender's OK · `begun`: its task was made · `superseded`: a further comment took its
 * place · `expired`: nobody answered.
 */
export interface Intent {
  readonly id: IntentId;
  readonly state: 'asked' | 'begun' | 'superseded' | 'expired';
  readonly workspace: WorkspaceId;
  readonly context: ContextId;
  readonly conversation: ConversationId;
  /** The message that said it. */
  readonly message: MessageId;
  readonly requester: Principal;
  readonly kind: TaskKind;
  /** The words of the wish, with what was added to it. */
  readonly text: string;
  readonly label: Label;
  /** The effect that said what was understood. */
  readonly card?: EffectId | undefined;
  readonly task?: TaskId | undefined;
  readonly run?: RunId | undefined;
  readonly createdAt: number;
  readonly expiresAt: number;
}
