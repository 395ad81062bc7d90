import { type LiveEventWire, type Status, toAppError } from '@agent-runtime/domain';
import type { AdminClient } from '../client/client.ts';

/** Time as the screens know it. */
export interface ScreenClock {
  nowMs(): number;
  sleep(ms: number, signal?: AbortSignal): Promise<void>;
}

/** Is the runtime there? */
export type Link = 'connecting' | 'online' | 'offline';

/** All that the frame and the screens share. A value: each change is a new one. */
export interface SessionState {
  readonly link: Link;
  /** The words of the last trouble with the line. */
  readonly trouble: string | undefined;
  /** What the line itself wants known while it works. */
  readonly notice: string | undefined;
  /** When the next try begins, epoch ms; only while offline. */
  readonly retryAtMs: number | undefined;
  readonly status: Status | undefined;
  /** Who signs. */
  readonly person: string | undefined;
  /** Grows with every event of a topic; `all` with every fresh connection. */
  readonly versions: Readonly<Record<string, number>>;
  /** Newest last, at most RECENT_EVENTS. */
  readonly recent: readonly SeenEvent[];
  /** Events per minute, oldest first, at most MINUTES; the last one is the present minute. */
  readonly perMinute: readonly number[];
  /** Moves once a second. */
  readonly nowMs: number;
}

export interface SeenEvent {
  readonly atMs: number;
  readonly event: LiveEventWire;
}

export interface Session {
  state(): SessionState;
  subscribe(listener: () => void): () => void;
  /** Works until the signal aborts: connects, follows, tries again. */
  run(signal: AbortSignal): Promise<void>;
  /** Asks at once instead of at the end of the pause. */
  retryNow(): void;
  /** Something was changed from here: status and lists are read again. */
  touch(): void;
}

/** Where the live feed is, and how a frame of it is read. */
export interface LiveWire {
  readonly LIVE_PATH: string;
  /** undefined for a frame that does not fit the contract */
  parseLive(data: string): LiveEventWire | undefined;
}

/** Bounded, so that a day of events costs no more memory than an hour. */
export const RECENT_EVENTS = 200;
export const MINUTES = 60;
/** Events that come together are shown together. */
const BATCH_MS = 150;
const TICK_MS = 1_000;
/** A line that is cut without a word is noticed after this long. */
const STATUS_EVERY_MS = 10_000;
const STATUS_AFTER_EVENT_MS = 1_000;
const FIRST_PAUSE_MS = 500;
const LONGEST_PAUSE_MS = 10_000;

export function makeSession(deps: {
  connect(): Promise<AdminClient>;
  readonly clock: ScreenClock;
  /** What reads the live feed; it is heavy, so it comes after the first frame. */
  wire(): Promise<LiveWire>;
}): Session {
  const { clock } = deps;
  const listeners = new Set<() => void>();
  let retry = new AbortController();
  let cut = new AbortController();
  let pending: SeenEvent[] = [];
  let isStatusDue = false;
  let minute = Math.floor(clock.nowMs() / 60_000);
  let state: SessionState = {
    link: 'connecting',
    trouble: undefined,
    notice: undefined,
    retryAtMs: undefined,
    status: undefined,
    person: undefined,
    versions: { all: 0 },
    recent: [],
    perMinute: [0],
    nowMs: clock.nowMs(),
  };

  const set = (change: Partial<SessionState>): void => {
    state = { ...state, ...change };
    for (const listener of listeners) listener();
  };

  const readStatus = async (client: AdminClient): Promise<void> => {
    isStatusDue = false;
    const status = await client.call('status.read', {});
    set({ status, versions: moved(state.versions, changedTopics(state.status, status)) });
  };

  const flush = (): void => {
    if (pending.length === 0) return;
    const came = pending;
    pending = [];
    const versions = moved(
      state.versions,
      came.map(({ event }) => event.topic),
    );
    const perMinute = [...minutesAt(clock.nowMs())];
    perMinute[perMinute.length - 1] = (perMinute.at(-1) ?? 0) + came.length;
    isStatusDue = true;
    set({ versions, perMinute, recent: [...state.recent, ...came].slice(-RECENT_EVENTS) });
  };

  /** The counts with the minutes that passed since as zeros. */
  const minutesAt = (nowMs: number): readonly number[] => {
    const now = Math.floor(nowMs / 60_000);
    const passed = Math.min(MINUTES, Math.max(0, now - minute));
    minute = Math.max(minute, now);
    return passed === 0
      ? state.perMinute
      : [...state.perMinute, ...Array<number>(passed).fill(0)].slice(-MINUTES);
  };

  const follow = async (client: AdminClient, signal: AbortSignal): Promise<void> => {
    const wire = await deps.wire();
    for await (const frame of client.stream(wire.LIVE_PATH, signal)) {
      if (frame.event === 'hello') {
        set({
          link: 'online',
          trouble: undefined,
          retryAtMs: undefined,
          versions: moved(state.versions, ['all']),
        });
        continue;
      }
      const event = wire.parseLive(frame.data);
      if (event === undefined) continue;
      const isFirst = pending.length === 0;
      pending.push({ atMs: clock.nowMs(), event });
      if (isFirst) void clock.sleep(BATCH_MS, signal).then(flush);
    }
  };

  const tick = async (signal: AbortSignal): Promise<void> => {
    while (!signal.aborted) {
      await clock.sleep(TICK_MS, signal);
      if (!signal.aborted) set({ nowMs: clock.nowMs(), perMinute: minutesAt(clock.nowMs()) });
    }
  };

  /** Reads the status now and then; when it cannot be read the stream is given up, so that one place tries again. */
  const watchStatus = async (client: AdminClient, signal: AbortSignal): Promise<void> => {
    let waited = 0;
    while (!signal.aborted) {
      await clock.sleep(STATUS_AFTER_EVENT_MS, signal);
      waited += STATUS_AFTER_EVENT_MS;
      if (signal.aborted || (!isStatusDue && waited < STATUS_EVERY_MS)) continue;
      waited = 0;
      try {
        await readStatus(client);
      } catch (thrown) {
        if (signal.aborted) return;
        const error = toAppError(thrown, 'status');
        if (error.kind === 'unavailable') cut.abort();
        set({ trouble: error.message });
      }
    }
  };

  const once = async (signal: AbortSignal): Promise<void> => {
    const client = await deps.connect();
    if (client.notice !== state.notice) set({ notice: client.notice });
    await readStatus(client);
    if (state.person === undefined) set({ person: (await client.call('identity.whoami', {})).name });
    cut = new AbortController();
    const both = AbortSignal.any([signal, cut.signal]);
    const watching = watchStatus(client, both);
    try {
      await follow(client, both);
    } finally {
      cut.abort();
      await watching;
    }
  };

  return {
    state: () => state,
    subscribe(listener) {
      listeners.add(listener);
      return () => void listeners.delete(listener);
    },
    retryNow: () => retry.abort(),
    touch() {
      isStatusDue = true;
      set({ versions: moved(state.versions, ['all']) });
    },
    async run(signal) {
      void tick(signal);
      for (let failures = 0; !signal.aborted; failures += 1) {
        const wasOnline = (): boolean => state.link === 'online';
        try {
          await once(signal);
        } catch (thrown) {
          if (signal.aborted) return;
          const error = toAppError(thrown, 'the line');
          // We cut it ourselves; why, stands there already.
          if (error.kind !== 'cancelled') set({ trouble: error.message });
        }
        if (signal.aborted) return;
        if (wasOnline()) failures = 0;
        const pauseMs = Math.min(LONGEST_PAUSE_MS, FIRST_PAUSE_MS * 2 ** failures);
        set({ link: 'offline', retryAtMs: clock.nowMs() + pauseMs });
        retry = new AbortController();
        await clock.sleep(pauseMs, AbortSignal.any([signal, retry.signal]));
      }
    },
  };
}

function moved(
  versions: Readonly<Record<string, number>>,
  topics: readonly string[],
): Readonly<Record<string, number>> {
  if (topics.length === 0) return versions;
  const next = { ...versions };
  for (const topic of topics) next[topic] = (next[topic] ?? 0) + 1;
  return next;
}

/** What the counts say has changed, for facts of which no event tells: a run that began, or that ended without a word. */
function changedTopics(before: Status | undefined, now: Status): readonly string[] {
  if (before === undefined) return [];
  const isOther = (one: unknown, other: unknown): boolean => JSON.stringify(one) !== JSON.stringify(other);
  return [
    ...(isOther(before.runs, now.runs) ? ['runs'] : []),
    ...(before.approvals_pending === now.approvals_pending ? [] : ['approvals']),
    ...(isOther(before.panic, now.panic) || isOther(before.gate, now.gate) ? ['health'] : []),
  ];
}
