import { once } from 'node:events';
import { type AddressInfo, createServer } from 'node:net';
import type {
  Accept,
  ConnectorMemory,
  Delivery,
  Draft,
  InboundEvent,
  JsonObject,
  Receipt,
} from '@agent-runtime/domain';
import {
  type ManualClock,
  manualClock,
  type RecordingLogger,
  recordingLogger,
  settle,
  startTelegramServer,
  type TelegramChat,
  type TelegramServer,
  type TelegramServerOptions,
  type TelegramUser,
  until,
} from '@agent-runtime/testkit';
import type { TelegramOptions } from './options.ts';
import { type TelegramConnector, telegramConnector } from './telegram.ts';

/** A memory that a test can look into; it survives the connector. */
export interface TestMemory extends ConnectorMemory {
  readonly kept: ReadonlyMap<string, string>;
}

export function testMemory(nowMs: () => number): TestMemory {
  const kept = new Map<string, string>();
  const setAt = new Map<string, number>();
  return {
    kept,
    get: async (key) => kept.get(key),
    set: async (key, value) => {
      kept.set(key, value);
      setAt.set(key, nowMs());
    },
    remove: async (key) => void kept.delete(key),
    prune: async (prefix, beforeMs) => {
      for (const key of kept.keys())
        if (key.startsWith(prefix) && (setAt.get(key) ?? 0) < beforeMs) kept.delete(key);
    },
  };
}

/** A connector that real grammy joins to an emulated server, with somebody in a group. */
export interface Stage {
  readonly server: TelegramServer;
  readonly connector: TelegramConnector;
  /** Another process with the same memory. */
  readonly another: (options?: Partial<TelegramOptions>) => TelegramConnector;
  readonly clock: ManualClock;
  readonly log: RecordingLogger;
  readonly memory: TestMemory;
  readonly ann: TelegramUser;
  readonly group: TelegramChat;
  /** What `accept` got, oldest first. */
  readonly heard: InboundEvent[];
  readonly accept: Accept;
  /** Moves time until it is so. */
  readonly pass: (isDone: () => boolean, what: string, stepMs?: number) => Promise<void>;
  readonly deliver: (
    payload: JsonObject,
    how?: Partial<Delivery> & { readonly address?: string; readonly signal?: AbortSignal },
  ) => Promise<Receipt>;
  readonly send: (draft: Draft, address?: string) => Promise<Receipt>;
  /** Calls that make or change messages, as they arrived and were played. */
  readonly played: readonly { readonly method: string; readonly body: JsonObject }[];
  readonly close: () => Promise<void>;
}

export async function stage(
  options: Partial<TelegramOptions> = {},
  serverOptions: TelegramServerOptions = {},
): Promise<Stage> {
  const clock = manualClock();
  const server = await startTelegramServer({ clock, ...serverOptions });
  const log = recordingLogger();
  const memory = testMemory(() => clock.nowMs());
  const ann = server.cast.user({ first_name: 'Ann', username: 'ann' });
  const group = server.cast.chat({ type: 'supergroup', title: 'Garden', members: [ann] });
  const heard: InboundEvent[] = [];
  const played: { method: string; body: JsonObject }[] = [];
  server.onCall('*', ({ method, params }) => {
    if (/^(?:send|edit)(?!ChatAction)/.test(method)) played.push({ method, body: params as JsonObject }); // safe: parsed from JSON
  });
  const made: TelegramConnector[] = [];
  const another = (more: Partial<TelegramOptions> = {}): TelegramConnector => {
    const connector = telegramConnector({
      token: () => server.token,
      apiRoot: server.apiRoot,
      mode: 'polling',
      memory,
      clock,
      log,
      ...options,
      ...more,
    });
    made.push(connector);
    return connector;
  };
  const connector = another();
  const deliver: Stage['deliver'] = (payload, { address = String(group.id), signal, ...more } = {}) =>
    connector.deliver(
      payload,
      {
        sink: { connector: 'telegram', account: connector.account, address },
        effectId: 'efct_1',
        part: 0,
        ...more,
      },
      signal ?? new AbortController().signal,
    );
  return {
    server,
    connector,
    another,
    clock,
    log,
    memory,
    ann,
    group,
    heard,
    played,
    deliver,
    accept: async (event) => void heard.push(event),
    pass: (isDone, what, stepMs = 1_000) =>
      until(
        async () => {
          await settle();
          if (isDone()) return true;
          await clock.advance(stepMs);
          return isDone();
        },
        what,
        20_000,
      ),
    send: async (draft, address = String(group.id)) => {
      const [payload = {}] = connector.render(draft, { address, effectId: 'efct_1', nowMs: 1 });
      return deliver(payload, { address });
    },
    close: async () => {
      for (const one of made) await one.stop();
      await server.close();
    },
  };
}

/** Stages that end with their test. */
export function stages(): { readonly open: typeof stage; readonly close: () => Promise<void> } {
  const open: Stage[] = [];
  return {
    open: async (options, serverOptions) => {
      const one = await stage(options, serverOptions);
      open.push(one);
      return one;
    },
    close: async () => {
      for (const one of open.splice(0)) await one.close();
    },
  };
}

/** A port of the loopback where nobody listens: the kernel refuses the line. */
export async function closedPort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo; // safe: it listens on TCP
  server.close();
  await once(server, 'close');
  return port;
}
