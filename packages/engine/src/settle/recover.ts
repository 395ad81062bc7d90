import type { Effect } from '@agent-runtime/domain';
import type { EngineDeps } from '../api.ts';
import { reconcilePart } from './deliver.ts';
import { repeatOrGiveUp } from './perform.ts';
import { type Performer, performerOf } from './performer.ts';
import { type Ending, type Recorded, record } from './record.ts';

/**
 * After a start: looks at every effect that an older process left performing. Where the outside can tell, its word counts: sent parts get
 * their receipts, what was not sent is approved again and decided afresh. Where nobody can tell, an approved effect becomes uncertain and
 * an answer is sent once more and listed.
 * Runs before anything is claimed; not under panic or behind the gate, which have their own rule for unfinished effects.
 * @returns what was recorded
 */
export async function recoverEffects(deps: EngineDeps, signal: AbortSignal): Promise<readonly Recorded[]> {
  const left = await deps.store.read.find('effect', { state: 'performing' });
  const recorded: Recorded[] = [];
  for (const effect of left) {
    if (effect.claimEpoch === deps.store.epoch) continue;
    const last = await recoverOne(deps, effect, signal);
    if (last !== undefined) recorded.push(last);
  }
  return recorded;
}

async function recoverOne(
  deps: EngineDeps,
  effect: Effect,
  signal: AbortSignal,
): Promise<Recorded | undefined> {
  const performer = performerOf(deps, effect);
  const part = effect.receipts.length;
  const found =
    performer === undefined
      ? ({ kind: 'unknown' } as const)
      : await reconcilePart(deps, { effect, part, performer, signal });
  if (found.kind !== 'sent') return record(deps, effect, endingOf(deps, effect, found.kind, performer));
  const recorded = await record(deps, effect, { kind: 'receipt', receipt: found.receipt });
  if (recorded === undefined || recorded.effect.state === 'done') return recorded;
  // Parts leave one after the other: what comes after the last one that started has not left.
  return record(deps, recorded.effect, again());
}

function endingOf(
  deps: EngineDeps,
  effect: Effect,
  found: 'not-sent' | 'unknown',
  performer: Performer | undefined,
): Ending {
  if (effect.attempts >= deps.config.deliverMaxAttempts) return { kind: 'lose', error: INTERRUPTED };
  if (found === 'not-sent') return again();
  if (effect.class !== 'E0') return { kind: 'lose', error: INTERRUPTED };
  return repeatOrGiveUp(deps, effect, {
    error: INTERRUPTED,
    isDoubtful: performer === undefined || !performer.dropsRepeats,
  });
}

function again(): Ending {
  return { kind: 'retry', error: INTERRUPTED, notBefore: 0, isDoubtful: false };
}

const INTERRUPTED = {
  code: 'settle.restart.uncertain',
  kind: 'uncertain',
  message: 'The process ended while this was on its way.',
} as const;
