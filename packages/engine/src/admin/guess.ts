import { AppError, isPairingLive, type Pairing, pairingHash, principalKey } from '@agent-runtime/domain';
import type { Actor } from '../api.ts';
import { change, EVERYTHING } from './authorize.ts';
import type { AdminDeps } from './deps.ts';

/** Wrong codes in a window, of one person and of all together. */
const WRONG_OF_ONE = 5;
const WRONG_OF_ALL = 20;
const WINDOW_MS = 600_000;
/** Sorts behind every character of a key. */
const AFTER = '~';

/**
 * Finds the pairing of a code. Each look is written down, and wrong ones are counted in the same transaction, so that guesses that come
 * together count, too.
 * @throws AppError identity.code.missing: wrong, used, over, all the same · identity.code.exhausted
 */
export async function pairingOfCode(deps: AdminDeps, actor: Actor, code: string): Promise<Pairing> {
  const by = principalKey(actor.principal);
  const nowMs = deps.clock.nowMs();
  const wrong = `pair-wrong:${Math.floor(nowMs / WINDOW_MS)}:`;
  const what = {
    verb: 'identity.set',
    target: EVERYTHING,
    action: 'identity.pair_look',
    subject: 'pairing',
  } as const;
  const found = await change(deps, actor, what, async (tx) => {
    const countOf = (prefix: string): Promise<number> =>
      tx.count('notify_notice', { key: { gte: prefix, lt: prefix + AFTER } });
    if ((await countOf(`${wrong}${by}:`)) >= WRONG_OF_ONE || (await countOf(wrong)) >= WRONG_OF_ALL)
      throw tooOften();
    const pairing = await tx.get('identity_pairing', { codeHash: pairingHash(code) });
    if (pairing !== undefined && isPairingLive(pairing, nowMs)) return pairing;
    await tx.insert('notify_notice', { key: `${wrong}${by}:${deps.ids.make('notice')}`, at: nowMs });
    tx.audit({ action: 'identity.pair_miss', actor: by, subject: 'pairing' });
    return undefined;
  });
  if (found === undefined) throw noSuchCode();
  return found;
}

function noSuchCode(): AppError {
  return new AppError({
    code: 'identity.code.missing',
    kind: 'missing',
    message:
      'Nobody waits with this code: it is wrong, was used or is over. Ask the sender for a fresh one (`pair`).',
  });
}

function tooOften(): AppError {
  return new AppError({
    code: 'identity.code.exhausted',
    kind: 'exhausted',
    message: 'Too many wrong codes. Try again in ten minutes.',
    retryAfterMs: WINDOW_MS,
  });
}
