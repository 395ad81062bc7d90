import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Clock } from '@agent-runtime/domain';
import type { Gateway } from './gateway/gateway.ts';
import { gatewayServer } from './gateway/gateway-server.ts';
import { INTENTS } from './gateway/intents.ts';
import { type RestServer, restServer } from './rest/rest-server.ts';
import { loadSpec } from './rest/spec.ts';
import { commandBook } from './world/commands.ts';
import { type Community, community } from './world/community.ts';
import { guildWire } from './world/guild-wire.ts';
import { interactionBook } from './world/interactions.ts';
import { userWire } from './world/people.ts';
import { snowflakes } from './world/snowflake.ts';
import type { World, WorldEvent } from './world/world.ts';

/** How the emulated platform is set up. */
export interface DiscordServerOptions {
  /** Default: the clock of this machine. Limits, nonces, interactions and ids follow it. */
  readonly clock?: Clock;
  readonly token?: string;
  readonly botName?: string;
  /** Privileged intents that the developer portal grants; default: all. Asking for another closes with 4014. */
  readonly grants?: {
    readonly messageContent?: boolean;
    readonly guildMembers?: boolean;
    readonly guildPresences?: boolean;
  };
  readonly heartbeatIntervalMs?: number;
  /** Directory with the platform's specification `discord.json`; default: the variable AGENT_RUNTIME_SPEC_DIR. */
  readonly specDirectory?: string | undefined;
  /** Checks the emulator's own answers too. */
  readonly checksAnswers?: boolean;
  readonly maxFileBytes?: number;
  /** Default: any free one. */
  readonly port?: number;
}

/** An emulated Discord: people who speak, a gateway, a REST API, and all that goes wrong with them. */
export interface DiscordServer extends Community, Omit<RestServer, 'handle'> {
  /** For `new Client({ rest: { api } })`, ends with `/api`. */
  readonly apiUrl: string;
  readonly gateway: Gateway;
  /** The only token that is taken. */
  token: string;
  /** Whether calls are checked against the platform's specification. */
  readonly hasSpec: boolean;
  /**
   * Waits until something is so; looks again after each call, event and line.
   * @param what named in the error. @param limitMs real time. @throws Error when it does not happen in time
   */
  until(isTrue: () => boolean, what: string, limitMs?: number): Promise<void>;
  /** Nobody listens any more (ECONNREFUSED), lines are broken; `up` listens on the same port again. */
  down(): Promise<void>;
  up(): Promise<void>;
  close(): Promise<void>;
}

const MACHINE_CLOCK: Clock = {
  nowMs: () => Date.now(),
  monotonicMs: () => performance.now(),
  sleep: (ms) => new Promise((resolve) => setTimeout(resolve, ms)),
};

/** @returns an emulated Discord on a free port of 127.0.0.1 */
export async function startDiscordServer(options: DiscordServerOptions = {}): Promise<DiscordServer> {
  const clock = options.clock ?? MACHINE_CLOCK;
  const nextId = snowflakes(clock);
  const watchers = new Set<() => void>();
  const changed = (): void => {
    for (const watcher of watchers) watcher();
  };
  const grants = { messageContent: true, guildMembers: true, guildPresences: true, ...options.grants };
  let port = options.port ?? 0;
  let token = options.token ?? 'emulated.bot.token';
  let emit: (event: WorldEvent) => void = () => {};

  const botId = nextId();
  const bot = userWire(botId, { username: options.botName ?? 'agent', isBot: true });
  const world: World = {
    clock,
    nextId,
    bot,
    applicationId: botId,
    filesUrl: () => `http://127.0.0.1:${port}/files`,
    mayReadContent: grants.messageContent,
    users: new Map([[botId, bot]]),
    guilds: new Map(),
    channels: new Map(),
    files: new Map(),
    nonces: new Map(),
    typing: [],
    emit: (event) => emit(event),
  };
  const commands = commandBook(nextId);
  const interactions = interactionBook();
  const gateway = gatewayServer({
    token: () => token,
    bot: () => bot,
    applicationId: world.applicationId,
    grantedIntents: bits(grants),
    heartbeatIntervalMs: options.heartbeatIntervalMs ?? 41_250,
    guilds: () => [...world.guilds.values()].map((guild) => guildWire(world, guild)),
    membersOf: (guildId) =>
      [...(world.guilds.get(guildId)?.members.values() ?? [])].map((member) => ({ ...member })),
    resumeUrl: () => `ws://127.0.0.1:${port}/resume`,
    changed,
  });
  emit = gateway.emit;
  const spec = loadSpec(options.specDirectory ?? process.env.AGENT_RUNTIME_SPEC_DIR);
  const rest = restServer({
    context: {
      world,
      commands,
      interactions,
      gateway: () => ({
        url: `ws://127.0.0.1:${port}/gateway`,
        sessionStartLimit: gateway.sessionStartLimit,
      }),
      maxFileBytes: options.maxFileBytes ?? 10 * 1024 * 1024,
    },
    token: () => token,
    spec,
    checksAnswers: options.checksAnswers ?? false,
    changed,
  });

  const server = createServer((request, response) => {
    if (request.url?.startsWith('/files/') === true) return sendFile(world, request.url, response);
    rest.handle(request, response).catch((error: unknown) => response.destroy(error as Error)); // safe: only seen by the socket
  });
  server.on('upgrade', (request: IncomingMessage, socket, head) => gateway.upgrade(request, socket, head));
  const up = async (): Promise<void> => {
    server.listen(port, '127.0.0.1');
    await once(server, 'listening');
    port = (server.address() as AddressInfo).port; // safe: it listens on TCP
  };
  const down = async (): Promise<void> => {
    gateway.drop();
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  };
  await up();

  const { handle: _handle, ...seen } = rest;
  return {
    ...community({ world, commands, interactions }),
    ...seen,
    get invalidRequests() {
      return rest.invalidRequests;
    },
    gateway,
    hasSpec: spec !== undefined,
    get apiUrl() {
      return `http://127.0.0.1:${port}/api`;
    },
    get token() {
      return token;
    },
    set token(value: string) {
      token = value;
    },
    until: (isTrue, what, limitMs) => waitUntil(watchers, isTrue, what, limitMs),
    up,
    down,
    close: async () => {
      await gateway.end();
      await down();
    },
  };
}

function bits(grants: {
  readonly messageContent: boolean;
  readonly guildMembers: boolean;
  readonly guildPresences: boolean;
}): number {
  return (
    (grants.messageContent ? INTENTS.messageContent : 0) |
    (grants.guildMembers ? INTENTS.guildMembers : 0) |
    (grants.guildPresences ? INTENTS.guildPresences : 0)
  );
}

function sendFile(world: World, url: string, response: ServerResponse): void {
  const file = world.files.get(new URL(url, 'http://emulator.invalid').pathname.slice('/files'.length));
  if (file === undefined) return void response.writeHead(404).end();
  response.writeHead(200, { 'content-type': file.contentType ?? 'application/octet-stream' });
  response.end(file.bytes);
}

function waitUntil(
  watchers: Set<() => void>,
  isTrue: () => boolean,
  what: string,
  limitMs = 10_000,
): Promise<void> {
  return new Promise((resolve, reject) => {
    const end = (): void => {
      watchers.delete(look);
      clearTimeout(timer);
    };
    const timer = setTimeout(() => {
      end();
      reject(new Error(`Waited ${limitMs} ms for: ${what}`));
    }, limitMs);
    const look = (): void => {
      try {
        if (!isTrue()) return;
        end();
        resolve();
      } catch (error) {
        end();
        reject(error);
      }
    };
    watchers.add(look);
    look();
  });
}
