import { AppError, assertIntact, type Effect } from '@agent-runtime/domain';
import type { EngineDeps } from '../api.ts';
import { deliverPart, type PartOutcome, reconcilePart } from './deliver.ts';
import { type Performer, performerOf } from './performer.ts';
import { DOUBT_CODE, type Ending, type Recorded, record } from './record.ts';
import { LONGEST_WAIT_MS } from './wait.ts';

type EffectError = NonNullable<Effect['error']>;

/** Writes an ending, again and again while the disk refuses: what happened outside must not be forgotten by a process that lives. */
export type Recorder = (effect: Effect, ending: Ending) => Promise<Recorded | undefined>;

/**
 * Carries out a claimed effect, part by part, with its receipt recorded after each one. Stops at the first part that is not accepted:
 * what comes after a refused or doubtful part never leaves (P1).
 * @returns the last thing recorded; undefined when the effect was taken away meanwhile
 * @throws whatever a crash point throws: a dead process records nothing
 */
export async function perform(
  deps: EngineDeps,
  claimed: Effect,
  signal: AbortSignal,
  write: Recorder = (effect, ending) => record(deps, effect, ending),
): Promise<Recorded | undefined> {
  const performer = performerOf(deps, claimed);
  if (performer === undefined) return write(claimed, retryOrGiveUp(deps, claimed, { error: NO_PERFORMER }));
  let recorded: Recorded | undefined = { effect: claimed, message: undefined };
  for (let part = claimed.receipts.length; part < claimed.payloads.length; part += 1) {
    if (recorded === undefined) return undefined;
    const { effect }: Recorded = recorded;
    const ending = await performPart(deps, { effect, part, performer, signal });
    recorded = await write(effect, ending);
    if (ending.kind !== 'receipt') return recorded;
  }
  return recorded;
}

interface Part {
  readonly effect: Effect;
  readonly part: number;
  readonly performer: Performer;
  readonly signal: AbortSignal;
}

async function performPart(deps: EngineDeps, one: Part): Promise<Ending> {
  const { effect, signal } = one;
  const damage = damageOf(effect);
  if (damage !== undefined) return { kind: 'reject', error: damage };
  // After panic nothing starts. The panic commit has made the row uncertain, or will.
  if (deps.panic.isOn()) return { kind: 'lose', error: STOPPED };
  if (signal.aborted) return afterStop(deps, one, STOPPED);
  deps.crash.reach(`perform.before:${effect.kind}`);
  const outcome = await deliverPart(deps, one);
  deps.crash.reach(`perform.after:${effect.kind}`);
  return endingOf(deps, one, outcome);
}

async function endingOf(deps: EngineDeps, one: Part, outcome: PartOutcome): Promise<Ending> {
  const { effect } = one;
  switch (outcome.kind) {
    case 'accepted':
      return { kind: 'receipt', receipt: outcome.receipt };
    case 'refused':
      return { kind: 'reject', error: outcome.error };
    case 'nothing':
      return retryOrGiveUp(deps, effect, outcome);
    case 'lost':
      return afterLoss(deps, one, outcome.error);
    default: {
      const never: never = outcome;
      return never;
    }
  }
}

/**
 * Nobody knows whether it left. The outside is asked once; a "sent" is believed. An approved effect is never sent again by itself: also a
 * "not sent" may only mean "not yet", so a human decides. An answer (E0) may be sent again; unless the receiver drops repeats, it is listed.
 */
async function afterLoss(deps: EngineDeps, one: Part, error: EffectError): Promise<Ending> {
  const { effect, performer, signal } = one;
  if (deps.panic.isOn()) return { kind: 'lose', error };
  if (signal.aborted) return afterStop(deps, one, error);
  const found = await reconcilePart(deps, one);
  if (found.kind === 'sent') return { kind: 'receipt', receipt: found.receipt };
  if (found.kind === 'not-sent' && performer.isFinalWitness) return retryOrGiveUp(deps, effect, { error });
  if (signal.aborted) return afterStop(deps, one, error);
  if (effect.class !== 'E0') return { kind: 'lose', error };
  return repeatOrGiveUp(deps, effect, { error, isDoubtful: !performer.dropsRepeats });
}

/** Reason with which `drain` aborts: the process ends, nobody took a right away. */
export const DRAINED = 'drained';

/** An answer that only the end of the process cut off goes out again after the restart; everything else that was stopped stays unknown. */
function afterStop(deps: EngineDeps, one: Part, error: EffectError): Ending {
  const { effect, performer, signal } = one;
  if (signal.reason !== DRAINED || effect.class !== 'E0') return { kind: 'lose', error };
  return repeatOrGiveUp(deps, effect, { error, isDoubtful: !performer.dropsRepeats });
}

/** An answer goes out once more, until its tries are spent. */
export function repeatOrGiveUp(
  deps: Pick<EngineDeps, 'clock' | 'config'>,
  effect: Effect,
  why: { readonly error: EffectError; readonly isDoubtful: boolean },
): Ending {
  if (effect.attempts >= deps.config.deliverMaxAttempts) return { kind: 'lose', error: why.error };
  return {
    kind: 'retry',
    error: why.isDoubtful ? DOUBT : why.error,
    notBefore: deps.clock.nowMs() + backoffMs(deps, effect.attempts),
    isDoubtful: why.isDoubtful,
  };
}

function retryOrGiveUp(
  deps: Pick<EngineDeps, 'clock' | 'config'>,
  effect: Effect,
  why: { readonly error: EffectError; readonly retryAfterMs?: number | undefined },
): Ending {
  if (effect.attempts >= deps.config.deliverMaxAttempts) {
    const message = `Given up after ${effect.attempts} tries. ${why.error.message}`;
    return { kind: 'reject', error: { ...why.error, message } };
  }
  const waitMs = Math.min(why.retryAfterMs ?? backoffMs(deps, effect.attempts), LONGEST_WAIT_MS);
  return { kind: 'retry', error: why.error, notBefore: deps.clock.nowMs() + waitMs, isDoubtful: false };
}

/** First wait after the first try, then doubled, capped. */
function backoffMs(deps: Pick<EngineDeps, 'config'>, attempts: number): number {
  const { deliverBackoffMs, deliverBackoffMaxMs } = deps.config;
  return Math.min(deliverBackoffMaxMs, deliverBackoffMs * 2 ** Math.max(0, attempts - 1));
}

/** The bytes on the wire are the stored ones or there is no wire. */
function damageOf(effect: Effect): EffectError | undefined {
  try {
    assertIntact(effect);
    return undefined;
  } catch (thrown) {
    if (!(thrown instanceof AppError)) throw thrown;
    return { code: thrown.code, kind: thrown.kind, message: thrown.message };
  }
}

const NO_PERFORMER: EffectError = {
  code: 'settle.sink.unavailable',
  kind: 'unavailable',
  message: 'The connector is not configured in this process.',
};
const STOPPED: EffectError = {
  code: 'settle.stop.uncertain',
  kind: 'uncertain',
  message: 'It was stopped on its way.',
};
const DOUBT: EffectError = {
  code: DOUBT_CODE,
  kind: 'uncertain',
  message: 'The first try may have arrived: people may see this twice.',
};
