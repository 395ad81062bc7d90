import type { Clock, InboundEvent } from '@agent-runtime/domain';
import { type Intake, isStop, laneOf } from './intake.ts';
import { FIRST_WAIT_MS, isOverWithin, nextWaitMs } from './patience.ts';
import type { Spool } from './spool.ts';

/** What was asked for and is not accepted yet: a lane for each chat, so that a chat that must wait holds up nobody else. */
export interface Lanes {
  /** @returns false when some of it is durable nowhere: then all of it is to be asked for again */
  take(updates: readonly unknown[]): Promise<boolean>;
  /** Takes up what an earlier process left waiting; resolves once that is known. */
  resume(): Promise<void>;
  /** Resolves when nothing is offered or written any more; after the signal. */
  settled(): Promise<void>;
}

export interface LanesParts {
  readonly intake: Intake;
  readonly spool: Spool;
  /** What an update says; nothing when there is nothing in it for us. */
  readonly read: (updates: readonly unknown[]) => readonly (readonly InboundEvent[])[];
  readonly clock: Clock;
  readonly signal: AbortSignal;
}

interface Item {
  readonly key: string;
  readonly update: unknown;
  readonly events: readonly InboundEvent[];
  /** True: accepted · false: it waits. */
  readonly tried: PromiseWithResolvers<boolean>;
  isKept: boolean;
}

interface Lane {
  readonly items: Item[];
  isHeld: boolean;
}

/** How long the next question waits for the events of the last one. */
const PATIENCE_MS = 200;
/** With more nothing is confirmed any more; of what comes then only the first hundred are seen. */
const MOST_WAITING = 1_000;

export function makeLanes(parts: LanesParts): Lanes {
  const { read, spool, clock, signal } = parts;
  const state: State = { ...parts, lanes: new Map(), waiting: new Map(), running: new Set() };
  const enter = (updates: readonly unknown[]): readonly Item[] => {
    const items = read(updates).flatMap((events, at) => itemOf(updates[at], events));
    return items.map((item) => state.waiting.get(item.key) ?? add(state, item));
  };
  return {
    take: async (updates) => {
      const items = enter(updates);
      await isOverWithin(clock, Promise.all(items.map(({ tried }) => tried.promise)), PATIENCE_MS);
      const open = items.filter(({ key, isKept }) => state.waiting.has(key) && !isKept);
      if (open.length === 0) return true;
      if (signal.aborted || state.waiting.size > MOST_WAITING) return false;
      const all = [...state.waiting.values()];
      if (!(await spool.keep(all.map(({ update }) => update)))) return false;
      for (const item of all) item.isKept = true;
      return true;
    },
    resume: async () => {
      await spool.load((updates) => {
        for (const item of enter(updates)) item.isKept = true;
      }, signal);
      if (state.waiting.size === 0) spool.clear();
    },
    settled: async () => {
      await Promise.all(state.running);
      await spool.settled();
    },
  };
}

interface State extends LanesParts {
  readonly lanes: Map<string, Lane>;
  readonly waiting: Map<string, Item>;
  readonly running: Set<Promise<void>>;
}

function itemOf(update: unknown, events: readonly InboundEvent[]): readonly Item[] {
  if (events.length === 0) return [];
  const key = events.map(({ externalId }) => externalId).join(' ');
  return [{ key, update, events, tried: Promise.withResolvers(), isKept: false }];
}

function add(state: State, item: Item): Item {
  const [first] = item.events;
  const key = first === undefined ? '' : laneOf(first);
  state.waiting.set(item.key, item);
  const lane = state.lanes.get(key);
  if (lane === undefined) {
    const fresh: Lane = { items: [item], isHeld: false };
    state.lanes.set(key, fresh);
    const running = work(state, key, fresh).finally(() => state.running.delete(running));
    state.running.add(running);
    return item;
  }
  lane.items.push(item);
  if (lane.isHeld) item.tried.resolve(false);
  return item;
}

/** In order; what comes after a refusal that passes waits with it. */
async function work(state: State, key: string, lane: Lane): Promise<void> {
  const { intake, clock, signal } = state;
  let waitMs = FIRST_WAIT_MS;
  for (let [item] = lane.items; item !== undefined && !signal.aborted; [item] = lane.items) {
    if (await intake.offer(item.events)) {
      lane.items.shift();
      lane.isHeld = false;
      waitMs = FIRST_WAIT_MS;
      leave(state, item);
      continue;
    }
    lane.isHeld = true;
    for (const { tried } of lane.items) tried.resolve(false);
    await clock.sleep(waitMs, signal);
    // Who wants to stop everything is not made to wait ever longer.
    if (!item.events.some(isStop)) waitMs = nextWaitMs(waitMs);
  }
  for (const { tried } of lane.items) tried.resolve(false);
  state.lanes.delete(key);
}

function leave({ waiting, spool }: State, item: Item): void {
  waiting.delete(item.key);
  item.tried.resolve(true);
  if (waiting.size === 0) spool.clear();
}
