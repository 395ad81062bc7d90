import type { EngineDeps } from '../api.ts';
import { isGateClosed } from '../gate/gate.ts';
import { limited } from './limited.ts';
import type { Talk } from './talk.ts';

/** "Is typing" at every place where an answer is made, said again before the platform forgets it. */
export interface Typing {
  /** @returns to be called when this answer is made no longer; more than once does no harm */
  enter(talk: Talk): () => void;
}

interface Typist {
  runs: number;
  readonly stop: AbortController;
}

/** @param track keeps a piece of work until it is over */
export function makeTyping(
  deps: EngineDeps,
  how: {
    /** An answer that comes sooner needs no sign, and costs no call. */
    readonly afterMs: number;
    readonly everyMs: number;
    readonly limitMs: number;
    readonly track: (work: Promise<void>) => void;
  },
): Typing {
  const typists = new Map<string, Typist>();

  async function type(talk: Talk, signal: AbortSignal): Promise<void> {
    if (how.afterMs > 0) await deps.clock.sleep(how.afterMs, signal);
    while (!signal.aborted) {
      if (await maySay(deps))
        await limited(deps, { ...how, signal }, (limit) => talk.live.typing(talk.address, limit));
      await deps.clock.sleep(how.everyMs, signal);
    }
  }

  return {
    enter: (talk) => {
      const typist = typists.get(talk.place) ?? { runs: 0, stop: new AbortController() };
      typist.runs += 1;
      if (typist.runs === 1) {
        typists.set(talk.place, typist);
        how.track(type(talk, typist.stop.signal));
      }
      let isThere = true;
      return () => {
        if (!isThere) return;
        isThere = false;
        typist.runs -= 1;
        if (typist.runs > 0) return;
        typists.delete(talk.place);
        typist.stop.abort('over');
      };
    },
  };
}

/** Nothing is said under panic and behind the gate, nor while nobody can tell. */
async function maySay(deps: EngineDeps): Promise<boolean> {
  try {
    return !(await isGateClosed(deps.store.read)) && !deps.panic.isOn();
  } catch {
    return false;
  }
}
