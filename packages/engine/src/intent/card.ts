import { type Effect, type Intent, principalKey, type StoreTx } from '@agent-runtime/domain';
import type { EngineDeps } from '../api.ts';
import { writeNotice } from '../notify/notice.ts';

/**
 * Puts other words in the place of the card of a wish that waits no longer, without its button. A card that has not left yet keeps its
 * words; its button answers with what became of the wish.
 */
export async function closeCard(
  deps: EngineDeps,
  tx: StoreTx,
  intent: Intent,
  end: { readonly state: Exclude<Intent['state'], 'asked'>; readonly text: string },
): Promise<void> {
  tx.audit({
    action: VERBS[end.state],
    actor: end.state === 'expired' ? 'appliance' : principalKey(intent.requester),
    subject: intent.id,
    workspace: intent.workspace,
    context: intent.context,
  });
  const card = intent.card === undefined ? undefined : await tx.get('effect', { id: intent.card });
  const [edits] = card === undefined ? [] : messagesOf(card);
  if (edits === undefined) return;
  await writeNotice(deps, tx, {
    key: `intent:${intent.id}:${end.state}`,
    workspace: intent.workspace,
    context: intent.context,
    draft: { text: end.text, edits },
    label: intent.label,
    conversation: intent.conversation,
    isAnswer: true,
  });
}

/** Platform ids of the messages in which an effect arrived, first part first. */
export function messagesOf({ receipts }: Pick<Effect, 'receipts'>): readonly string[] {
  return receipts.flatMap(({ externalId }) => (typeof externalId === 'string' ? [externalId] : []));
}

const VERBS = { begun: 'intent.begin', superseded: 'intent.supersede', expired: 'intent.lapse' } as const;
