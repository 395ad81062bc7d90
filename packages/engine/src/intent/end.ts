import type { ContextId, Intent, StoreTx } from '@agent-runtime/domain';

/** Ends a wish without words: its card cannot be said, or nobody is where it stands any more. */
export async function lapse(tx: StoreTx, intent: Intent, why: string): Promise<void> {
  if ((await tx.update('task_intent', { id: intent.id, state: 'asked' }, { state: 'expired' })) !== 1) return;
  tx.audit({
    action: 'intent.lapse',
    actor: 'appliance',
    subject: intent.id,
    workspace: intent.workspace,
    context: intent.context,
    data: { why },
  });
}

/** Ends the wishes that wait in a place which leaves its channel. */
export async function lapseIn(tx: StoreTx, context: ContextId): Promise<void> {
  for (const intent of await tx.find('task_intent', { context, state: 'asked' }))
    await lapse(tx, intent, 'the talk is about another workspace now');
}
