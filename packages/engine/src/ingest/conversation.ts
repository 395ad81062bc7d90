import {
  type Context,
  type Conversation,
  type EffectiveSettings,
  isRotationDue,
  type StoreTx,
} from '@agent-runtime/domain';
import type { EngineDeps } from '../api.ts';

/** The open conversation of a key, or a fresh one when there is none or it has rested too long. */
export async function openConversation(
  deps: Pick<EngineDeps, 'clock' | 'ids'>,
  tx: StoreTx,
  place: { readonly context: Context; readonly settings: EffectiveSettings; readonly key: string },
): Promise<Conversation> {
  const { context, key, settings } = place;
  const nowMs = deps.clock.nowMs();
  const current = await tx.get('context_conversation', { context: context.id, key, isOpen: true });
  if (current !== undefined && !isRotationDue(current, settings.queue.idleRotationMs, nowMs)) {
    await tx.update('context_conversation', { id: current.id }, { lastAt: nowMs });
    return current;
  }
  if (current !== undefined) await tx.update('context_conversation', { id: current.id }, { isOpen: false });
  const fresh: Conversation = {
    id: deps.ids.make('conversation'),
    workspace: context.workspace,
    context: context.id,
    key,
    isOpen: true,
    createdAt: nowMs,
    lastAt: nowMs,
  };
  await tx.insert('context_conversation', fresh);
  return fresh;
}

/** `/new`: the next message of this key begins afresh. @returns false when there was nothing to end */
export async function endConversation(tx: StoreTx, context: Context, key: string): Promise<boolean> {
  return (
    (await tx.update('context_conversation', { context: context.id, key, isOpen: true }, { isOpen: false })) >
    0
  );
}
