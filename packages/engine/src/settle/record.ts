import {
  AppError,
  type Effect,
  type EffectState,
  type MessageId,
  moveEffect,
  type Receipt,
  type StoreTx,
} from '@agent-runtime/domain';
import type { EngineDeps } from '../api.ts';
import { catchUp } from '../approval/cards.ts';
import { EFFECT_KIND } from '../effect/kind.ts';
import { writeOutcome } from '../notify/outcome.ts';

type EffectError = NonNullable<Effect['error']>;

/** What a claimed effect turns into. */
export type Ending =
  | { readonly kind: 'receipt'; readonly receipt: Receipt }
  | {
      readonly kind: 'retry';
      readonly error: EffectError;
      readonly notBefore: number;
      readonly isDoubtful: boolean;
    }
  | { readonly kind: 'reject'; readonly error: EffectError }
  | { readonly kind: 'lose'; readonly error: EffectError };

/** The row afterwards, and the message by which its outcome entered the conversation. */
export interface Recorded {
  readonly effect: Effect;
  readonly message: MessageId | undefined;
}

/**
 * Writes what came of a claimed effect: compare-and-swap on `performing` and the claim's epoch, with its audit event and outcome message.
 * @returns undefined when the effect was taken away meanwhile (panic, revocation): then nothing was written
 * @throws AppError database.*
 */
export async function record(deps: EngineDeps, effect: Effect, known: Ending): Promise<Recorded | undefined> {
  const ending = honest(effect, known);
  const next = after(deps, effect, ending);
  const audit = {
    action: actionOf(next, ending),
    actor: 'appliance',
    subject: effect.id,
    workspace: effect.workspace,
    context: effect.context,
    data: {
      digest: effect.digest,
      state: next.state,
      part: effect.receipts.length + (ending.kind === 'receipt' ? 0 : 1),
      parts: effect.payloads.length,
      receipt: ending.kind === 'receipt' ? ending.receipt : undefined,
      error: ending.kind === 'receipt' ? undefined : ending.error.code,
    },
  };
  try {
    return await deps.store.commit(audit, (tx) => write(deps, tx, { effect, next, ending }));
  } catch (thrown) {
    if (thrown instanceof AppError && thrown.code === 'settle.record.conflict') return undefined;
    throw thrown;
  }
}

/** What this try came to does not undo what an earlier one may have done: a doubted answer never ends as "nothing happened". */
function honest(effect: Effect, ending: Ending): Ending {
  if (ending.kind !== 'reject' || !isDoubted(effect)) return ending;
  return { kind: 'lose', error: stillDoubted(ending.error) };
}

function after(deps: EngineDeps, effect: Effect, ending: Ending): Effect {
  const nowMs = deps.clock.nowMs();
  switch (ending.kind) {
    case 'receipt': {
      const receipts = [...effect.receipts, ending.receipt];
      if (receipts.length < effect.payloads.length) return { ...effect, receipts };
      // A doubt about an earlier try stays listed; other errors are over.
      const error = isDoubted(effect) ? effect.error : undefined;
      return { ...effect, receipts, state: moveEffect(effect, 'succeed'), error, settledAt: nowMs };
    }
    case 'retry':
      return {
        ...effect,
        state: moveEffect(effect, 'retry'),
        notBefore: ending.notBefore,
        error: isDoubted(effect) ? effect.error : ending.error,
      };
    case 'reject':
      return { ...effect, state: moveEffect(effect, 'reject'), error: ending.error, settledAt: nowMs };
    case 'lose':
      return { ...effect, state: moveEffect(effect, 'lose'), error: ending.error, settledAt: nowMs };
    default: {
      const never: never = ending;
      return never;
    }
  }
}

/** Code on an answer that was sent again although the first try may have arrived: the list of doubtful ones. */
export const DOUBT_CODE = 'settle.repeat.uncertain';

/** Nobody knows whether an earlier try of it arrived. */
export function isDoubted(effect: Pick<Effect, 'error'>): boolean {
  return effect.error?.code === DOUBT_CODE;
}

/** Why a doubted answer ended, with the doubt. */
export function stillDoubted(error: EffectError): EffectError {
  return { ...error, kind: 'uncertain', message: `${error.message} An earlier try may have arrived.` };
}

const VERBS: Readonly<Record<Ending['kind'], string>> = {
  receipt: 'effect.receipt',
  retry: 'effect.retry',
  reject: 'effect.reject',
  lose: 'effect.lose',
};

function actionOf(next: Effect, ending: Ending): string {
  if (next.state === 'done') return 'effect.done';
  return ending.kind === 'retry' && ending.isDoubtful ? 'effect.repeat' : VERBS[ending.kind];
}

interface Change {
  readonly effect: Effect;
  readonly next: Effect;
  readonly ending: Ending;
}

async function write(deps: EngineDeps, tx: StoreTx, change: Change): Promise<Recorded> {
  const { effect, next, ending } = change;
  const changed = await tx.update(
    'effect',
    { id: effect.id, state: 'performing', claimEpoch: effect.claimEpoch },
    {
      state: next.state,
      attempts: next.attempts,
      receipts: next.receipts,
      notBefore: next.notBefore,
      error: next.error,
      settledAt: next.settledAt,
    },
  );
  if (changed !== 1) {
    throw new AppError({
      code: 'settle.record.conflict',
      kind: 'conflict',
      message: `${effect.id} was taken away while it was performed.`,
    });
  }
  if (ending.kind === 'retry' && effect.decision === 'ask' && next.receipts.length === 0)
    await giveBack(tx, effect);
  // Answers carry no buttons.
  if (next.state === 'done' && next.class === 'E0' && next.kind !== EFFECT_KIND.reply)
    await catchUp(deps, tx, next);
  const isFinal = next.state === 'done' || next.state === 'rejected' || next.state === 'uncertain';
  const message = isFinal
    ? await writeOutcome(deps, tx, { effect: next, text: sayOutcome(next) })
    : undefined;
  return { effect: next, message };
}

/**
 * Returns a consumed approval to `granted`, because the outside said for certain that nothing at all happened. Only the same effect can
 * use it, and its next claim decides afresh and consumes it again, so executions never outnumber consumed approvals (T1). Once a part has
 * left, the approval stays consumed and the rest goes on under it.
 */
async function giveBack(tx: StoreTx, effect: Effect): Promise<void> {
  const { approval } = effect;
  const returned =
    approval === undefined
      ? 0
      : await tx.update(
          'approval',
          { id: approval, state: 'consumed', effect: effect.id, digest: effect.digest },
          { state: 'granted' },
        );
  if (returned === 1) return;
  throw new AppError({
    code: 'settle.approval.bug',
    kind: 'bug',
    message: `The approval of ${effect.id} is not the one it was performed under.`,
  });
}

const OUTCOME_WORDS: Partial<Readonly<Record<EffectState, string>>> = {
  done: 'is done',
  rejected: 'was refused',
  uncertain: 'may or may not have happened; an operator must look and say (`agent-runtime effect resolve`)',
};

/** One sentence about a final state, with what had left before. */
export function sayOutcome(effect: Effect): string {
  const words = OUTCOME_WORDS[effect.state] ?? `is ${effect.state}`;
  const left =
    effect.state !== 'done' && effect.payloads.length > 1
      ? ` ${effect.receipts.length} of ${effect.payloads.length} parts had left; nothing more will.`
      : '';
  const why = effect.state !== 'done' && effect.error !== undefined ? ` ${effect.error.message}` : '';
  return `${effect.id} ${words}.${left}${why}`;
}
