import {
  ADMIN_PREFIX,
  ADMIN_STREAMS,
  type AskResult,
  isFinalRun,
  type LiveEvent,
  principalKey,
  type Run,
  type RunEventWire,
  textEventBetween,
} from '@agent-runtime/domain';
import {
  type Actor,
  type AdminDeps,
  mayWatch,
  REVOKED_TOPIC,
  runFor,
  visibleRun,
  WATCHED_TOPICS,
} from '@agent-runtime/engine';
import type { NonceCache } from '@agent-runtime/pki';
import type { Context, Hono } from 'hono';
import { type SSEStreamingApi, streamSSE } from 'hono/streaming';
import { journalSteps } from '../stream/journal-steps.ts';
import { lastEventId } from '../stream/last-event-id.ts';
import { runFacts } from '../stream/run-facts.ts';
import type { AdminAppInput } from './deps.ts';
import { authenticate, isStillKnown, type KnownRequest } from './signed.ts';

/** A run is looked at again this often, so that a stream ends even when no event told it to. */
const LOOK_AGAIN_MS = 1_000;
/** Events that a stream may be behind; each is a few ids. */
const MOST_WAITING = 1_000;
/** From here on a fresh text takes the place of an old one. */
const MANY_WAITING = 16;
/** A reader that takes nothing for so long once it is behind is not there. */
const BEHIND_MS = 30_000;
/** The last frame for who was too slow: come again, with the id of the last frame that had one. */
const BEHIND = { event: 'behind', data: '{}', retry: 1_000 } as const;

/** Server-sent events: of one run, and of the appliance. Both end when the key that opened them does. */
export function addStreams(app: Hono, input: AdminAppInput, deps: AdminDeps, nonces: NonceCache): void {
  app.get(ADMIN_PREFIX + ADMIN_STREAMS.run, async (c) => {
    const known = await authenticate(input, nonces, c, {});
    const run = await visibleRun(deps, known.actor, c.req.param('id') ?? '');
    const after = lastEventId(c.req.header('Last-Event-ID'));
    return streamSSE(c, (stream) =>
      streamRun({ input, deps, known, actor: known.actor, stream }, run, after),
    );
  });
  app.get(ADMIN_PREFIX + ADMIN_STREAMS.live, async (c: Context) => {
    const known = await authenticate(input, nonces, c, {});
    return streamSSE(c, (stream) => streamLive({ input, deps, known, actor: known.actor, stream }));
  });
}

interface Watcher {
  readonly input: AdminAppInput;
  readonly deps: AdminDeps;
  readonly known: KnownRequest;
  readonly actor: Actor;
  readonly stream: SSEStreamingApi;
}

/**
 * Events as they come, one at a time, until the stream ends. A reader that takes nothing costs a thousand events at most: then nothing more
 * is kept for it, and its stream ends.
 */
async function follow(
  watcher: Watcher,
  topics: readonly string[],
  each: (event: LiveEvent | undefined) => Promise<'go on' | 'end'>,
): Promise<void> {
  const { deps, stream, input, known } = watcher;
  const waiting: LiveEvent[] = [];
  const ended = new AbortController();
  let isBehind = false;
  let wake = (): void => undefined;
  const push = (event: LiveEvent): void => {
    // Each holds the whole answer so far: the newer are enough, and many of them are what would be large.
    const oldest = waiting.length < MANY_WAITING ? -1 : waiting.findIndex((one) => one.kind === 'text');
    if (event.kind === 'text' && oldest >= 0) waiting.splice(oldest, 1);
    waiting.push(event);
    if (waiting.length > MOST_WAITING) giveUp();
    wake();
  };
  const unsubscribe = [...topics, REVOKED_TOPIC].map((topic) => deps.live.subscribe(topic, push));
  const leave = (): void => {
    for (const stop of unsubscribe) stop();
  };
  const giveUp = (): void => {
    isBehind = true;
    waiting.length = 0;
    leave();
    // A write that waits for the reader waits for ever; this ends it.
    void deps.clock.sleep(BEHIND_MS, ended.signal).then(() => {
      if (!ended.signal.aborted) stream.abort();
    });
  };
  stream.onAbort(() => {
    ended.abort();
    wake();
  });
  try {
    while (!ended.signal.aborted) {
      if (!(await isStillKnown(input, known))) break;
      if (isBehind) {
        await stream.writeSSE(BEHIND);
        break;
      }
      const event = waiting.shift();
      const isForUs = event === undefined || event.topic !== REVOKED_TOPIC;
      if (isForUs && (await each(event)) === 'end') break;
      if (waiting.length > 0 || isBehind || ended.signal.aborted) continue;
      const pause = new AbortController();
      wake = () => pause.abort();
      // An event that came between the check and this line has already called the old `wake`.
      if (waiting.length === 0 && !isBehind)
        await deps.clock.sleep(LOOK_AGAIN_MS, AbortSignal.any([pause.signal, ended.signal]));
    }
  } finally {
    leave();
    ended.abort();
  }
}

/** @param after number of the last fact that this reader has; 0 for all */
async function streamRun(watcher: Watcher, first: Run, after: number): Promise<void> {
  const { deps, actor, stream } = watcher;
  const send = async (event: RunEventWire, id?: number): Promise<void> =>
    stream.writeSSE({
      event: event.type,
      data: JSON.stringify(event),
      ...(id === undefined ? {} : { id: String(id) }),
    });
  const stepsOf = journalSteps(deps.journal);
  let told = after;
  let shown = '';
  const isOwn = await isOwnRun(deps, actor, first);
  await follow(watcher, [first.id], async (event) => {
    if (event?.kind === 'text' && isOwn) {
      const next = typeof event.data.text === 'string' ? event.data.text : '';
      const change = textEventBetween(shown, next);
      shown = next;
      if (change !== undefined) await send({ type: 'text', run_id: first.id, ...change });
      return 'go on';
    }
    // The right to look is asked again: a role that went ends the stream.
    if (!(await mayStillLook(deps, actor, first))) return 'end';
    const run = (await deps.store.read.get('run', { id: first.id })) ?? first;
    // From the row and the journal, so that the same facts have the same numbers on every connection.
    for (const fact of runFacts(run, await stepsOf(run.id))) {
      if (fact.id <= told) continue;
      told = fact.id;
      await send(fact.event, fact.id);
    }
    if (!isFinalRun(run.state)) return 'go on';
    await send({ type: 'end', run: await finalView(deps, actor, run) });
    return 'end';
  });
}

async function mayStillLook(deps: AdminDeps, actor: Actor, run: Run): Promise<boolean> {
  return visibleRun(deps, actor, run.id).then(
    () => true,
    () => false,
  );
}

async function finalView(deps: AdminDeps, actor: Actor, run: Run): Promise<AskResult> {
  return runFor(deps, actor, run);
}

/** Text in the making is for the person who asked; others see the finished answer, if its label is for them. */
async function isOwnRun(deps: AdminDeps, actor: Actor, run: Run): Promise<boolean> {
  const task = await deps.store.read.get('task', { id: run.task });
  return task !== undefined && principalKey(task.requester) === principalKey(actor.principal);
}

async function streamLive(watcher: Watcher): Promise<void> {
  const { deps, actor, stream } = watcher;
  await stream.writeSSE({ event: 'hello', data: '{}' });
  await follow(watcher, WATCHED_TOPICS, async (event) => {
    if (event !== undefined && (await mayWatch(deps, actor, event))) {
      const { topic, kind, seq, data } = event;
      await stream.writeSSE({ event: topic, data: JSON.stringify({ topic, kind, seq, data }) });
    }
    return 'go on';
  });
}
