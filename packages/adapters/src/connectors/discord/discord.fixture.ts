import { setTimeout as pause } from 'node:timers/promises';
import type {
  Accept,
  Clock,
  Connector,
  ConnectorMemory,
  InboundEvent,
  Suggest,
  Taken,
} from '@agent-runtime/domain';
import {
  type DiscordServer,
  type DiscordServerOptions,
  type RecordingLogger,
  recordingLogger,
  startDiscordServer,
  until,
} from '@agent-runtime/testkit';
import { DISCORD_COMMANDS } from './commands.fixture.ts';
import { type DiscordOptions, discordConnector } from './discord.ts';

/** A memory that outlives the connectors of a test. */
export interface TestMemory extends ConnectorMemory {
  readonly values: Map<string, { value: string; at: number }>;
  /** Everything in it as one text. */
  dump(): string;
}

export function testMemory(clock: Pick<Clock, 'nowMs'> = { nowMs: Date.now }): TestMemory {
  const values = new Map<string, { value: string; at: number }>();
  return {
    values,
    dump: () => JSON.stringify([...values]),
    get: async (key) => values.get(key)?.value,
    set: async (key, value) => void values.set(key, { value, at: clock.nowMs() }),
    remove: async (key) => void values.delete(key),
    prune: async (prefix, beforeMs) => {
      for (const [key, { at }] of values) if (key.startsWith(prefix) && at < beforeMs) values.delete(key);
    },
  };
}

/** Time of this machine, some of it skipped: real sockets and the library's own timers need real time. */
export interface SkippingClock extends Clock {
  /** Wall and monotonic time go on by so much; sleeps do not notice. */
  skip(ms: number): void;
}

/** @param isStill it shows only what was skipped: for measures that must not depend on the speed of this machine */
export function skippingClock(isStill = false): SkippingClock {
  let skippedMs = 0;
  const startMs = Date.now();
  return {
    nowMs: () => (isStill ? startMs : Date.now()) + skippedMs,
    monotonicMs: () => (isStill ? 0 : performance.now()) + skippedMs,
    sleep: async (ms, signal) => {
      await pause(ms, undefined, { ref: false, ...(signal === undefined ? {} : { signal }) }).catch(() => {});
    },
    skip: (ms) => {
      skippedMs += ms;
    },
  };
}

export interface Stage {
  readonly server: DiscordServer;
  readonly connector: Connector;
  readonly memory: TestMemory;
  readonly clock: SkippingClock;
  readonly log: RecordingLogger;
  readonly guild: string;
  readonly channel: string;
  readonly ada: string;
  /** What was accepted, oldest first. */
  readonly heard: InboundEvent[];
  /** Another connector over the same memory, as after a restart. */
  again(options?: Partial<DiscordOptions>): Connector;
  /** Starts and waits for the session. @param answer of `accept` */
  listen(
    answer?: (event: InboundEvent) => Promise<Taken | undefined> | Taken | undefined,
    suggest?: Suggest,
  ): Promise<void>;
  close(): Promise<void>;
}

export type StageOptions = Partial<Omit<DiscordOptions, 'clock'>> & {
  readonly server?: DiscordServerOptions;
  readonly clock?: SkippingClock;
};

/** A server with one guild, one channel and one person, and a connector that knows the token. */
export async function discordStage({
  server: serverOptions,
  clock = skippingClock(),
  ...options
}: StageOptions = {}): Promise<Stage> {
  const server = await startDiscordServer({ clock, ...serverOptions });
  server.token = tokenOf(server.applicationId);
  const ada = server.user({ username: 'ada', displayName: 'Ada' }).id;
  const guild = server.guild({ name: 'Garden', owner: ada }).id;
  server.join(guild, ada);
  const channel = server.channel({ guild, name: 'general' }).id;
  const memory = testMemory(clock);
  const log = recordingLogger();
  const make = (more: Partial<DiscordOptions> = {}): Connector =>
    discordConnector({
      token: () => server.token,
      apiRoot: server.apiUrl,
      memory,
      clock,
      log,
      commands: DISCORD_COMMANDS,
      ...options,
      ...more,
    });
  const connector = make();
  const made = [connector];
  const heard: InboundEvent[] = [];
  return {
    server,
    connector,
    memory,
    clock,
    log,
    guild,
    channel,
    ada,
    heard,
    again: (more) => {
      const one = make(more);
      made.push(one);
      return one;
    },
    listen: async (answer = () => undefined, suggest) => {
      const sessions = server.gateway.counts.identifies;
      const accept: Accept = async (event) => {
        const taken = await answer(event);
        heard.push(event);
        return taken;
      };
      await connector.start(accept, suggest);
      await until(() => server.gateway.counts.identifies > sessions, 'a session');
      await menu(server);
    },
    close: async () => {
      for (const one of made) await one.stop();
      await server.close();
    },
  };
}

/** The commands are there, so that people can type them. */
async function menu(server: DiscordServer): Promise<void> {
  await until(
    () => server.calls.some(({ route, status }) => route.endsWith('/commands') && status === 200),
    'the menu',
  );
  if (server.commands().length === 0) await until(() => server.commands().length > 0, 'the menu');
}

/** A token as Discord makes them: the id of the bot comes first. */
export function tokenOf(botId: string): string {
  return `${Buffer.from(botId).toString('base64url')}.canary.${'s3cret'.repeat(5)}`;
}
