import type { Clock, Logger } from '@agent-runtime/domain';
import {
  ChannelManager,
  Client,
  type ClientOptions,
  Collection,
  Events,
  GatewayIntentBits,
  GuildChannelManager,
  GuildManager,
  LimitedCollection,
  PermissionOverwriteManager,
  RoleManager,
  SimpleShardingStrategy,
} from 'discord.js';
import { z } from 'zod';
import { nameOf } from './lanes.ts';
import { type Api, REFUSED_TOKEN } from './rest.ts';

/** One event of the gateway. */
export interface Packet {
  readonly t: string;
  readonly d: unknown;
}

export interface GatewayDeps {
  readonly api: Api;
  readonly token: () => string;
  readonly apiRoot: string;
  readonly clock: Clock;
  readonly log: Logger;
  /** Must not throw. */
  readonly take: (packet: Packet) => void;
}

/** The line on which Discord tells what happens. */
export interface Gateway {
  start(): void;
  stop(): Promise<void>;
  /** A session is open, as far as anyone can know. */
  isOpen(): boolean;
  trouble(): string | undefined;
}

/** No presences, no member lists: what is not asked for needs no approval at Discord, no memory, and can leak nothing. */
const INTENTS = [
  GatewayIntentBits.Guilds,
  GatewayIntentBits.GuildMessages,
  GatewayIntentBits.GuildMessageReactions,
  GatewayIntentBits.MessageContent,
  GatewayIntentBits.DirectMessages,
  GatewayIntentBits.DirectMessageReactions,
];

const FIRST_WAIT_MS = 1_000;
const LONGEST_WAIT_MS = 5 * 60_000;
/** Given to a line that is just being made or closed, at the end: the library leaves a half-open one behind. */
const CLOSING_MS = 2_000;
/** The library tries every half second for ever. After so many losses in a row, this close together, the loop here takes over. */
const MAX_LOSSES = 4;
const LOSSES_WITHIN_MS = 60_000;

/** Closes after which asking again is of no use, and what to do about them. */
const FATAL: Readonly<Record<number, string>> = {
  4004: REFUSED_TOKEN,
  4010: 'Discord refuses the shard of this bot (4010). Only one process may run with this token.',
  4011: 'The bot is in too many servers for one connection (4011). Remove it from some.',
  4012: 'Discord no longer speaks this version of its protocol (4012). Update agent-runtime.',
  4013: 'Discord does not know the intents that were asked for (4013). Update agent-runtime.',
  4014: 'Discord does not let the bot read messages (4014). Switch on "Message Content Intent" in the developer portal (Bot > Privileged Gateway Intents), then restart.',
};

const gatewayBot = z.object({
  session_start_limit: z.object({ remaining: z.number(), reset_after: z.number() }),
});

export function discordGateway(deps: GatewayDeps): Gateway {
  const { clock, log } = deps;
  let control = new AbortController();
  let ended: Promise<void> = Promise.resolve();
  let trouble: string | undefined = 'Not connected to Discord yet.';
  let isOpen = false;
  let waitMs = FIRST_WAIT_MS;
  let isOutageTold = false;

  /** Once for one outage: what is tried again all the time fails all the time. */
  const tellOutage = (error: unknown, words: string): void => {
    if (isOutageTold) return;
    isOutageTold = true;
    log.warn({ room: 'discord', error: nameOf(error) }, words);
  };

  const alarm = (words: string, fields: object = {}): void => {
    trouble = words;
    log.error({ room: 'discord', ...fields }, words);
  };

  const take = (packet: Packet): void => {
    if (packet.t === 'READY' || packet.t === 'RESUMED') {
      isOpen = true;
      trouble = undefined;
      isOutageTold = false;
      waitMs = FIRST_WAIT_MS;
    }
    deps.take(packet);
  };

  /** Makes the library's client tell what its line does. @returns when the line is of no more use, with the code of its close */
  const watch = (client: Client, signal: AbortSignal): Promise<number | undefined> => {
    const closing = Promise.withResolvers<number | undefined>();
    let losses: number[] = [];
    client.on(Events.Raw, (packet: Packet) => {
      if (signal.aborted) return;
      take(packet);
      if (isOpen) losses = [];
    });
    client.on(Events.ShardDisconnect, ({ code }) => closing.resolve(code));
    client.on(Events.ShardReconnecting, () => {
      isOpen = false;
      trouble = 'The line to Discord was lost and is being made again.';
      const now = clock.monotonicMs();
      losses = [...losses.filter((at) => now - at < LOSSES_WITHIN_MS), now];
      if (losses.length >= MAX_LOSSES) closing.resolve(undefined);
    });
    // Without a listener an `error` would end the process.
    client.on(Events.Error, (error) => tellOutage(error, 'Trouble with Discord.'));
    client.on(Events.ShardError, (error) => tellOutage(error, 'Trouble on the line to Discord.'));
    return closing.promise;
  };

  /** One client until it ends. @returns whether another one would do better */
  const run = async (signal: AbortSignal): Promise<boolean> => {
    const over = new AbortController();
    const useless = AbortSignal.any([signal, over.signal]);
    const client = new Client(clientOptions(deps, useless));
    const closing = watch(client, useless);
    const login = client.login(deps.token()).then(
      () => true,
      (error: unknown) => {
        tellOutage(error, 'The line to Discord could not be made.');
        return false;
      },
    );
    const stopped = new Promise<undefined>((resolve) =>
      signal.addEventListener('abort', () => resolve(undefined)),
    );
    const code = await Promise.race([
      closing,
      stopped,
      // The close names the reason; it comes before the login gives up.
      login.then((isIn) => (isIn ? Promise.race([closing, stopped]) : undefined)),
    ]);
    const enough = closingTime();
    if (signal.aborted && !isOpen) await Promise.race([login, enough]);
    isOpen = false;
    over.abort();
    // It waits for Discord's own goodbye, which may never come.
    await Promise.race([client.destroy(), enough]);
    client.removeAllListeners();
    client.on(Events.Error, () => {});
    if (code === undefined || FATAL[code] === undefined) return true;
    alarm(FATAL[code], { close_code: code });
    return false;
  };

  /** Discord counts the sessions of a day, and takes the token away from who begins too many. */
  const mayBegin = async (signal: AbortSignal): Promise<number> => {
    const said = await deps.api.call({ method: 'GET', route: '/gateway/bot', signal });
    const { remaining, reset_after: resetMs } = gatewayBot.parse(said).session_start_limit;
    if (remaining > 0) return 0;
    alarm(
      'Discord allows no more sessions for now; the bot waits until it does. Does it restart all the time?',
      {
        reset_after_ms: resetMs,
      },
    );
    return Math.max(resetMs, FIRST_WAIT_MS);
  };

  const loop = async (signal: AbortSignal): Promise<void> => {
    waitMs = FIRST_WAIT_MS;
    while (!signal.aborted) {
      try {
        const pauseMs = await mayBegin(signal);
        if (pauseMs > 0) {
          await clock.sleep(pauseMs, signal);
          continue;
        }
        if (!(await run(signal))) return;
      } catch (error) {
        if (signal.aborted) return;
        if (deps.api.isRefused()) return alarm(REFUSED_TOKEN);
        trouble = 'Discord cannot be reached.';
        tellOutage(error, 'Discord cannot be reached; it is tried again.');
      }
      await clock.sleep(waitMs, signal);
      waitMs = Math.min(waitMs * 2, LONGEST_WAIT_MS);
    }
  };

  return {
    start: () => {
      control = new AbortController();
      ended = loop(control.signal);
    },
    stop: async () => {
      control.abort();
      await ended;
      isOpen = false;
    },
    isOpen: () => isOpen,
    trouble: () => trouble,
  };
}

function closingTime(): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, CLOSING_MS).unref());
}

function clientOptions(deps: GatewayDeps, signal: AbortSignal): ClientOptions {
  return {
    intents: INTENTS,
    rest: { api: deps.apiRoot, version: '10', retries: 0, rejectOnRateLimit: () => true },
    // Everything that is needed is in the events themselves. What the library cannot live without it keeps in any case.
    makeCache: (type) => (KEPT.has(type) ? new Kept() : new LimitedCollection({ maxSize: 0 })),
    sweepers: { threads: { interval: 3_600, lifetime: 14_400 } },
    allowedMentions: { parse: [] },
    ws: {
      buildStrategy: (manager) => {
        endWith(manager, signal);
        return new SimpleShardingStrategy(manager);
      },
    },
  };
}

/** Managers that discord.js must be able to keep things in. By class: a bundler renames them. */
const KEPT: ReadonlySet<unknown> = new Set([
  GuildManager,
  ChannelManager,
  GuildChannelManager,
  RoleManager,
  PermissionOverwriteManager,
]);

/** The library looks at the name to warn of caches that are not its own, and two versions of this class make a bundler rename one. */
class Kept<K, V> extends Collection<K, V> {
  static override get name(): string {
    return 'Collection';
  }
}

/**
 * A shard that waits to connect again when its client is destroyed connects all the same, and a second session of one token answers
 * everything twice. After the end it finds out no more who it was.
 */
function endWith(
  manager: Parameters<NonNullable<NonNullable<ClientOptions['ws']>['buildStrategy']>>[0],
  signal: AbortSignal,
): void {
  const { retrieveSessionInfo } = manager.options;
  manager.options.retrieveSessionInfo = (shard) =>
    signal.aborted ? new Promise(() => {}) : retrieveSessionInfo(shard);
}
