import { type Label, type LiveEvent, publicLabel } from '@agent-runtime/domain';
import type { EngineDeps } from '../api.ts';
import type { RunPlace } from '../run/session.ts';
import { mayShow } from './allowed.ts';
import { limited } from './limited.ts';
import type { Talk } from './talk.ts';
import { THINKING, wordsOfTool } from './words.ts';

/** One live-edited answer. */
export interface Frames {
  /** Nothing more is shown from now on; a frame on its way may still arrive. */
  close(): void;
  /** Also cuts off the frame on its way. */
  cut(): void;
  /** Was a frame handed over? */
  readonly isSeen: () => boolean;
  /** Resolves when no frame is on its way and none will come. */
  readonly over: Promise<void>;
}

export interface FramesInput {
  readonly talk: Talk;
  readonly place: RunPlace;
  /** Of the run: panic, a revocation, an abort and a drain end the frames at once. */
  readonly signal: AbortSignal;
  readonly firstMs: number;
  readonly limitMs: number;
}

interface Showable {
  readonly text: string;
  readonly label: Label;
  readonly progress: string | undefined;
}

/** Words of the appliance alone. */
const NO_WORDS: Showable = { text: '', label: publicLabel(2), progress: THINKING };

/**
 * Shows what there is of an answer: first after a while without one, then as often as the platform likes and something is new. Only the
 * newest rendering is kept, so a slow platform costs no memory.
 */
export function makeFrames(deps: EngineDeps, input: FramesInput): Frames {
  const { talk, place, signal } = input;
  const closed = new AbortController();
  const cut = new AbortController();
  const stop = AbortSignal.any([signal, closed.signal, cut.signal]);
  const calls = AbortSignal.any([signal, cut.signal]);
  let newest = NO_WORDS;
  let isNew = true;
  let isSeen = false;
  let wake = (): void => undefined;
  const leave = deps.live.subscribe(place.run.id, (event) => {
    const next = after(newest, event);
    if (next === newest) return;
    newest = next;
    isNew = true;
    wake();
  });
  const somethingNew = (): Promise<void> =>
    isNew || stop.aborted ? Promise.resolve() : new Promise((resolve) => (wake = resolve));
  stop.addEventListener('abort', () => wake(), { once: true });

  async function show(): Promise<void> {
    isNew = false;
    const { text, label, progress } = newest;
    const isAllowed = await mayShow(deps, place, label);
    if (!isAllowed || stop.aborted) return;
    isSeen = true;
    const { externalId: replyTo } = place.input;
    const frame = { address: talk.address, key: place.run.id, replyTo, text, progress };
    await limited(deps, { limitMs: input.limitMs, signal: calls }, (limit) => talk.live.show(frame, limit));
  }

  async function keepShowing(): Promise<void> {
    await deps.clock.sleep(input.firstMs, stop);
    while (!stop.aborted) {
      try {
        await show();
      } catch (error) {
        // What cannot be asked is not allowed: an answer needs the database, a frame does not need to be.
        deps.log.warn({ room: 'presence', run_id: place.run.id, error }, 'a frame was left out');
      }
      await deps.clock.sleep(talk.live.everyMs, stop);
      await somethingNew();
    }
  }

  return {
    close: () => closed.abort('over'),
    cut: () => cut.abort('cut'),
    isSeen: () => isSeen,
    // A watcher that is left after its run would stay for ever.
    over: keepShowing().finally(leave),
  };
}

/** What can be shown after an event of the run; the same value when there is nothing new in it. */
function after(now: Showable, { kind, data }: LiveEvent): Showable {
  switch (kind) {
    case 'text':
      // safe: run/stream.ts publishes the label of the words that it filtered
      return { text: String(data.text), label: data.label as unknown as Label, progress: undefined };
    case 'tool':
      return { ...now, progress: wordsOfTool(String(data.tool)) };
    case 'step':
      // The result of a tool goes back to the model.
      return String(data.step).startsWith('tool:') ? { ...now, progress: THINKING } : now;
    default:
      return now;
  }
}
