import type { Approval, Button, DraftButton, Effect, StoreTx } from '@agent-runtime/domain';
import type { EngineDeps } from '../api.ts';
import type { Card } from '../effect/card.ts';

/** Bits of a button's id: nobody guesses one, and it fits into what chats allow. */
export const BUTTON_BITS = 128;

const SHOWN: Readonly<Record<Card['acts'][number], Omit<DraftButton, 'id'>>> = {
  approve: { label: 'Approve', tone: 'good' },
  deny: { label: 'Deny', tone: 'bad', form: { title: 'Deny it', field: 'Reason', about: 'reason' } },
  edit: { label: 'Edit', form: { title: 'Other words', field: 'The whole new text', about: 'edit' } },
};

/** Fresh buttons for one card. */
export interface CardButtons {
  readonly shown: readonly DraftButton[];
  /** Writes what they do, in the transaction of the effect that carries them: no button is shown that nothing knows of. */
  write(tx: StoreTx, card: Effect): Promise<void>;
}

/** Buttons that answer this question, each under a random id. */
export function makeButtons(
  deps: Pick<EngineDeps, 'ids'>,
  approval: Approval,
  acts: Card['acts'],
): CardButtons {
  const made = acts.map((act) => ({ act, shown: { ...SHOWN[act], id: deps.ids.secret(BUTTON_BITS) } }));
  return {
    shown: made.map(({ shown }) => shown),
    write: async (tx, card) => {
      for (const { act, shown } of made) {
        const button: Button = {
          id: shown.id,
          act,
          context: card.context,
          card: card.id,
          approval: approval.id,
          digest: approval.digest,
          createdAt: approval.createdAt,
          expiresAt: approval.expiresAt,
        };
        await tx.insert('approval_button', button);
      }
    },
  };
}

/** Platform id of the message that a card or question stands on: of several parts the last one has its buttons. */
export function messageOf(card: Pick<Effect, 'receipts' | 'state'>): string | undefined {
  const last = card.state === 'done' ? card.receipts.at(-1)?.externalId : undefined;
  return typeof last === 'string' ? last : undefined;
}
