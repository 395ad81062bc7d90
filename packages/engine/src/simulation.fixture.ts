import { cpSync, existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { contextRow, makeWorld, type ORIGIN, TEST_AUDIT } from './settle/world.fixture.ts';
import { History, type Played, USERS } from './simulation-history.fixture.ts';
import type { TimedMove } from './simulation-moves.fixture.ts';

/** Memory, where the machine has such a folder: a history opens its store several times. */
const BASE = existsSync('/dev/shm') ? '/dev/shm' : tmpdir();

/** Plays histories, each on its own copy of one prepared store. */
export interface Theatre {
  play(seed: number, moves: readonly TimedMove[]): Promise<Played>;
  close(): void;
}

export async function openTheatre(): Promise<Theatre> {
  const root = mkdtempSync(join(BASE, 'simulation-'));
  const template = join(root, 'template');
  await prepare(template);
  let plays = 0;
  const { any } = AbortSignal;
  AbortSignal.any = forgettable;
  return {
    play: async (seed, moves) => {
      plays += 1;
      const folder = join(root, `play-${plays}`);
      cpSync(template, folder, { recursive: true });
      const history = new History(seed, folder);
      const { stackTraceLimit } = Error;
      // Thousands of refusals are made here, and nobody reads their stacks.
      Error.stackTraceLimit = 0;
      try {
        return await history.run(moves);
      } finally {
        Error.stackTraceLimit = stackTraceLimit;
        await history.close();
        rmSync(folder, { recursive: true, force: true });
      }
    },
    close: () => {
      AbortSignal.any = any;
      rmSync(root, { recursive: true, force: true });
    },
  };
}

/**
 * `AbortSignal.any` for signals that may never end. What hangs in a dead process still listens to its own, and the platform keeps every
 * joined signal that is listened to until it is aborted: 20,000 histories would fill the memory.
 */
function forgettable(signals: Iterable<AbortSignal>): AbortSignal {
  const joined = new AbortController();
  for (const signal of signals) {
    const abort = (): void => joined.abort(signal.reason);
    if (signal.aborted) abort();
    else signal.addEventListener('abort', abort, { once: true });
  }
  return joined.signal;
}

async function prepare(folder: string): Promise<void> {
  const world = await makeWorld(folder);
  const nowMs = world.clock.nowMs();
  await world.deps.store.commit(TEST_AUDIT, async (tx) => {
    for (const [externalId, user] of Object.entries(USERS))
      await tx.insert('identity_link', {
        id: world.deps.ids.make('identity'),
        connector: 'chat',
        externalId,
        user,
        displayName: externalId,
        createdAt: nowMs,
      });
    const plaza = contextRow('plaza' as typeof ORIGIN, 'plaza-channel', nowMs); // safe: a slug
    await tx.insert('context', { ...plaza, openness: 'open' });
  });
  await world.close();
}

/** The shortest history that still fails: moves are left out one by one for as long as it does. */
export async function shrink(
  theatre: Theatre,
  seed: number,
  moves: readonly TimedMove[],
): Promise<readonly TimedMove[]> {
  let left = moves;
  for (let at = left.length - 1; at >= 0; at -= 1) {
    const fewer = left.filter((_, index) => index !== at);
    if ((await theatre.play(seed, fewer)).faults.length > 0) left = fewer;
  }
  return left;
}
