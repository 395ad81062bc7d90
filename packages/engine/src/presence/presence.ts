import { type Effect, isFinalRun, type RunId } from '@agent-runtime/domain';
import type { EngineDeps } from '../api.ts';
import { EFFECT_KIND } from '../effect/kind.ts';
import { belongsTo } from '../effect/rules.ts';
import { isGateClosed } from '../gate/gate.ts';
import type { RunPlace } from '../run/session.ts';
import { type Frames, makeFrames } from './frames.ts';
import { limited } from './limited.ts';
import { type Talk, talkAt } from './talk.ts';
import { makeTyping } from './typing.ts';

/** How answers are shown while they are made. */
export interface Presence {
  /**
   * A run begins, or goes on after a restart.
   * @param signal  of the run
   * @param attempt from 1; above it an earlier process may have shown something
   */
  begin(place: RunPlace, signal: AbortSignal, attempt: number): Showing;
  /** The answer is about to leave: no frame from now on. Resolves when none is on its way, or none has been for too long. */
  quiet(effect: Effect): Promise<void>;
  /** A run ended otherwise than by its own loop: what was shown of its answer is taken away. */
  drop(place: Pick<RunPlace, 'run' | 'task' | 'context'>): void;
  /** The answer may not leave after all. */
  withheld(effect: Effect): void;
  /** Cuts off what is on its way, at once and in memory; of one principal key, or everything. */
  abort(key?: string): void;
  /** Waits for what is on its way until the deadline, then cuts it off. */
  drain(deadlineMs: number): Promise<void>;
}

/** One run that is being shown. */
export interface Showing {
  /** The run is over, or gives its place back. Returns at once. */
  end(): void;
}

/** Nobody misses a sign for an answer that is there in a moment; where calls are counted, each one costs. */
const TYPING_AFTER_MS = 250;
/** The platforms forget "is typing" after 5 s (Telegram) and 10 s (Discord). */
const TYPING_EVERY_MS = 4_500;
/** An answer within this time needs no placeholder. */
const FIRST_FRAME_MS = 1_000;
/** An answer waits no longer than this for a frame that is stuck. */
const LIMIT_MS = 3_000;

const NOTHING_SHOWN: Showing = { end: () => undefined };

interface Shown {
  readonly frames: Frames;
  readonly place: RunPlace;
  readonly leave: () => void;
}

/** Follows the runs of one process. Idle, it holds no timer and listens to nothing; a crash leaves nothing of it. */
export function makePresence(deps: EngineDeps): Presence {
  const { typingAfterMs, typingEveryMs, firstFrameMs, limitMs } = {
    ...{ typingAfterMs: TYPING_AFTER_MS, typingEveryMs: TYPING_EVERY_MS },
    ...{ firstFrameMs: FIRST_FRAME_MS, limitMs: LIMIT_MS },
    ...deps.config.presence,
  };
  const shown = new Map<RunId, Shown>();
  const working = new Set<Promise<void>>();
  let all = new AbortController();
  const track = (work: Promise<void>): void => {
    const one = work
      .catch((error: unknown) => deps.log.warn({ room: 'presence', error }, 'a sign of life went wrong'))
      .finally(() => working.delete(one));
    working.add(one);
  };
  const typing = makeTyping(deps, { afterMs: typingAfterMs, everyMs: typingEveryMs, limitMs, track });

  async function takeAway(talk: Talk, run: RunId): Promise<void> {
    const { signal } = all;
    if ((await isGateClosed(deps.store.read)) || deps.panic.isOn()) return;
    await limited(deps, { limitMs, signal }, (limit) => talk.live.drop(talk.address, run, limit));
  }

  async function finish(one: Shown, talk: Talk, isOld: boolean): Promise<void> {
    const { id } = one.place.run;
    await one.frames.over;
    if (shown.get(id) === one) shown.delete(id);
    if (!one.frames.isSeen() && !isOld) return;
    const run = await deps.store.read.get('run', { id });
    const isWordless = run !== undefined && isFinalRun(run.state) && run.state !== 'succeeded';
    if (isWordless) await takeAway(talk, id);
  }

  function abort(key?: string): void {
    for (const { frames, place, leave } of shown.values()) {
      if (key !== undefined && !belongsTo(place.task.requester, key)) continue;
      frames.cut();
      leave();
    }
    if (key !== undefined) return;
    all.abort('stopped');
    all = new AbortController();
  }

  return {
    begin: (place, signal, attempt) => {
      const talk = talkAt(deps.connectors, place.context, place.task.door);
      if (talk === undefined || place.settings.output !== 'all' || signal.aborted) return NOTHING_SHOWN;
      const frames = makeFrames(deps, { talk, place, signal, firstMs: firstFrameMs, limitMs });
      const leave = typing.enter(talk);
      const one = { frames, place, leave };
      shown.set(place.run.id, one);
      track(frames.over);
      signal.addEventListener('abort', leave, { once: true });
      return {
        end: () => {
          frames.close();
          leave();
          signal.removeEventListener('abort', leave);
          track(finish(one, talk, attempt > 1));
        },
      };
    },
    quiet: async ({ kind, run }) => {
      const one = run === undefined || kind !== EFFECT_KIND.reply ? undefined : shown.get(run);
      one?.frames.close();
      await one?.frames.over;
    },
    drop: ({ run, task, context }) => {
      const talk = talkAt(deps.connectors, context, task.door);
      if (talk !== undefined) track(takeAway(talk, run.id));
    },
    withheld: ({ kind, run, sink }) => {
      if (run === undefined || kind !== EFFECT_KIND.reply) return;
      const talk = talkAt(deps.connectors, { ...sink, channel: sink.address }, 'chat');
      if (talk !== undefined) track(takeAway(talk, run));
    },
    abort,
    drain: async (deadlineMs) => {
      const limit = new AbortController();
      const late = deps.clock.sleep(deadlineMs, limit.signal).then(() => abort());
      while (working.size > 0) await Promise.all(working);
      limit.abort();
      await late;
    },
  };
}
