import { type Effect, type EffectState, moveEffect, type StoreTx } from '@agent-runtime/domain';
import { isDoubted } from '../settle/record.ts';

/** Which unfinished effects end, and why; the audit action names the reason. */
export interface VoidInput {
  readonly nowMs: number;
  /** Key of who ended them. */
  readonly actor: string;
  /** A sentence. */
  readonly why: string;
  readonly isMeant: (effect: Effect) => boolean;
  /** After a restore an approved effect may already have left in the time that the backup does not know. */
  readonly isApprovedDoubtful: boolean;
}

export interface Voided {
  readonly ended: number;
  /** May have left: for people to look at. */
  readonly uncertain: readonly Effect[];
}

/**
 * Ends everything that has not finished, in the caller's transaction: what never left is void with its approval, what was on its way is
 * uncertain, and nothing of it is ever sent afterwards.
 */
export async function voidUnfinished(tx: StoreTx, input: VoidInput): Promise<Voided> {
  const open = await tx.find('effect', { state: { in: ['proposed', 'approved', 'performing'] } });
  const uncertain: Effect[] = [];
  let ended = 0;
  for (const effect of open.filter(input.isMeant)) {
    const state = endOf(effect, input);
    await tx.update(
      'effect',
      { id: effect.id, state: effect.state },
      { state, settledAt: input.nowMs, error: errorOf(state, input.why) },
    );
    if (effect.approval !== undefined) {
      await tx.update(
        'approval',
        { id: effect.approval, state: { in: ['pending', 'granted'] } },
        { state: 'void', decidedAt: input.nowMs },
      );
    }
    tx.audit({
      action: 'effect.void',
      actor: input.actor,
      subject: effect.id,
      workspace: effect.workspace,
      context: effect.context,
      data: { from: effect.state, state, digest: effect.digest, parts: effect.receipts.length },
    });
    ended += 1;
    if (state === 'uncertain') uncertain.push({ ...effect, state });
  }
  return { ended, uncertain };
}

/** Why it ended, and what that means for what people outside have seen. */
function errorOf(state: EffectState, why: string): NonNullable<Effect['error']> {
  return state === 'uncertain'
    ? {
        code: 'panic.effect.uncertain',
        kind: 'uncertain',
        message: `${why} It may have left: look there, then say so (\`agent-runtime effect resolve\`).`,
      }
    : { code: 'panic.effect.cancelled', kind: 'cancelled', message: `${why} Nothing of it left.` };
}

/** A part that left, or may have left before the try that waits, cannot be unsent: such an effect is uncertain, never void. */
function endOf(effect: Effect, input: VoidInput): EffectState {
  const mayHaveLeft = effect.receipts.length > 0 || isDoubted(effect) || input.isApprovedDoubtful;
  return effect.state === 'approved' && mayHaveLeft
    ? moveEffect({ id: effect.id, state: moveEffect(effect, 'claim') }, 'panic')
    : moveEffect(effect, 'panic');
}
