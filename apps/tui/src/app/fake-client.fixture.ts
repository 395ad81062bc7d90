import {
  ADMIN_ROUTES,
  ADMIN_STREAMS,
  type AdminInput,
  type AdminReply,
  type AdminRoute,
  type AdminRouteName,
  type AppError,
  type LiveEventWire,
  parseWire,
} from '@agent-runtime/domain';
import type { AdminClient, StreamEvent } from '../client/client.ts';
import type { PairingChoice, PairingClient } from '../client/pairing.ts';
import { handlersOf } from './fake-answers.fixture.ts';
import { type FakeHouse, fakeHouse, pairingOf, refusal } from './fake-house.fixture.ts';

export interface FakeClient extends AdminClient {
  readonly house: FakeHouse;
  readonly pairing: PairingClient;
  /** Statements that were signed, in order. */
  readonly signed: string[];
  /** What was asked, in order. */
  readonly calls: (readonly [route: AdminRouteName, input: unknown])[];
  readonly paired: PairingChoice[];
  /** An event for everybody who watches. */
  emit(event: LiveEventWire): void;
  /** A frame of a run's stream. */
  emitRun(id: string, frame: { readonly type: string; readonly [key: string]: unknown }): void;
  /** Whether the runtime answers; going away also ends the streams, unless it is silent. */
  setUp(isUp: boolean, how?: 'told' | 'silent'): void;
  /** The next call of this route is refused so. */
  refuse(route: AdminRouteName, error: AppError): void;
}

/**
 * A small house behind the client's interface: it keeps what it is told, holds answers against the digest, and speaks only what the
 * contract allows, in both directions.
 */
export function fakeClient(given: Partial<FakeHouse> = {}): FakeClient {
  const house = fakeHouse(given);
  const signed: string[] = [];
  const calls: (readonly [AdminRouteName, unknown])[] = [];
  const paired: PairingChoice[] = [];
  const refusals = new Map<AdminRouteName, AppError>();
  const streams = new Map<string, Set<Feed>>();
  const handlers = handlersOf(house);
  let isUp = true;

  const answer = async <N extends AdminRouteName>(name: N, input: AdminInput<N>): Promise<AdminReply<N>> => {
    const route: AdminRoute = ADMIN_ROUTES[name];
    const parsed = parseWire(route.input, input, 'request');
    calls.push([name, input]);
    if (!isUp)
      throw refusal(
        'tui.runtime.unavailable',
        'unavailable',
        'No runtime is running for this data folder. Start it with: npm start',
      );
    const refused = refusals.get(name);
    if (refused !== undefined) {
      refusals.delete(name);
      throw refused;
    }
    const handler = handlers[name] as ((given: unknown) => unknown) | undefined; // safe: the input was parsed for this name
    if (handler === undefined) throw refusal('tui.fake.missing', 'missing', `no answer for ${name}`);
    return parseWire(route.reply, handler(parsed), 'answer') as AdminReply<N>; // safe: parsed by this route
  };
  const send = (path: string, frame: StreamEvent): void => {
    for (const feed of streams.get(path) ?? []) feed.push(frame);
  };

  return {
    house,
    signed,
    calls,
    paired,
    call: answer,
    callUnsigned: answer,
    instanceId: async () => 'instance-1',
    stream(path, signal) {
      const feed = makeFeed(signal);
      if (!isUp) feed.end();
      const feeds = streams.get(path) ?? new Set();
      streams.set(path, feeds.add(feed));
      if (path === ADMIN_STREAMS.live && isUp) feed.push({ event: 'hello', data: '{}' });
      return feed.read(() => feeds.delete(feed));
    },
    async signDecision(canonical) {
      signed.push(canonical);
      return { keyId: 'k'.repeat(43), signature: 'AAAA' };
    },
    emit: (event) => send(ADMIN_STREAMS.live, { event: event.topic, data: JSON.stringify(event) }),
    emitRun: (id, frame) =>
      send(ADMIN_STREAMS.run.replace(':id', id), { event: frame.type, data: JSON.stringify(frame) }),
    setUp(next, how = 'told') {
      isUp = next;
      if (!next && how === 'told') for (const feeds of streams.values()) for (const feed of feeds) feed.end();
    },
    refuse: (route, error) => void refusals.set(route, error),
    pairing: {
      list: async () => [...house.pairings.values()],
      show: async (code) => pairingOf(house, code),
      async approve(choice) {
        const row = pairingOf(house, choice.code);
        paired.push(choice);
        house.pairings.delete(choice.code);
        return {
          id: 'idnt_0002',
          connector: row.connector,
          external_id: row.external_id,
          user: choice.user,
          display_name: row.display_name,
          created_at: row.created_at,
        };
      },
    },
  };
}

interface Feed {
  push(frame: StreamEvent): void;
  end(): void;
  read(onEnd: () => void): AsyncIterable<StreamEvent>;
}

/** Frames as they are pushed, until the feed or the reader ends. */
function makeFeed(signal: AbortSignal): Feed {
  const waiting: StreamEvent[] = [];
  let isOver = false;
  let wake = (): void => undefined;
  const end = (): void => {
    isOver = true;
    wake();
  };
  signal.addEventListener('abort', end, { once: true });
  return {
    push(frame) {
      waiting.push(frame);
      wake();
    },
    end,
    async *read(onEnd) {
      try {
        while (!isOver || waiting.length > 0) {
          const frame = waiting.shift();
          if (frame !== undefined) yield frame;
          else
            await new Promise<void>((resolve) => {
              wake = resolve;
            });
        }
      } finally {
        onEnd();
      }
    },
  };
}
