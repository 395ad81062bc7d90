import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Clock } from '@agent-runtime/domain';
import { basicSpec } from './basic-spec.ts';
import { readParams } from './body.ts';
import { machineClock } from './clock.ts';
import { type BotCommand, CommandBook } from './commands.ts';
import { type CallHook, Desk, type Reply, type SpecViolation, type TelegramCall } from './desk.ts';
import { Faults } from './faults.ts';
import { People } from './people.ts';
import { type RateRules, Rates } from './rates.ts';
import { Refusal } from './refusal.ts';
import { readTelegramSpec, SpecCheck } from './spec.ts';
import { UpdateQueue } from './updates.ts';
import { Webhook } from './webhook.ts';
import {
  type ChatRef,
  chatIdOf,
  type TelegramBot,
  type TelegramChat,
  type TelegramMember,
  type TelegramMessage,
  type TelegramStatus,
  type TelegramUser,
} from './wire.ts';
import { type StoredMessage, World } from './world.ts';

export interface TelegramServerOptions {
  /** Default 0: any free one. */
  readonly port?: number;
  readonly token?: string;
  readonly bot?: Partial<TelegramBot>;
  /** Default: the clock of the machine. */
  readonly clock?: Clock;
  /** Folder with `telegram.json`. Default: AGENT_RUNTIME_SPEC_DIR; without the file a small built-in check. */
  readonly specDirectory?: string;
  /** Default: none. */
  readonly rates?: RateRules;
  readonly firstUpdateId?: number;
  /** Pause after a delivery to the webhook that was not taken. Default 20 ms. */
  readonly webhookRetryMs?: number;
  /** What is kept for the test to look at, so that a long run stays small. Default: everything. */
  readonly keep?: { readonly calls?: number; readonly messagesPerChat?: number };
}

/** Makes people and chats. */
export interface TelegramCast {
  user(about: Partial<TelegramUser> & { readonly first_name: string }): TelegramUser;
  /** The chat of a person with the bot. @param isStarted false: the bot may not write first */
  privateChat(user: TelegramUser, isStarted?: boolean): TelegramChat;
  /** A group, supergroup, forum or channel with the bot in it. */
  chat(about: NewChat): TelegramChat;
}

export interface NewChat {
  readonly type: 'group' | 'supergroup' | 'channel';
  readonly title: string;
  readonly username?: string;
  readonly isForum?: boolean;
  readonly id?: number;
  readonly members?: readonly TelegramUser[];
  /** Standing of the bot. Default `member`, in channels `administrator`. */
  readonly bot?: TelegramStatus;
}

/** A server that speaks the Telegram Bot API, with a world behind it that the test plays. */
export interface TelegramServer {
  /** To be given as root of the API, without a trailing slash. */
  readonly apiRoot: string;
  readonly token: string;
  readonly bot: TelegramBot;
  readonly cast: TelegramCast;
  /** What people do: say, edit, press, react, member, migrate, ... */
  readonly people: People;
  /** What waits for the bot, and ways to disturb it. */
  readonly updates: UpdateQueue;
  readonly webhook: Webhook;
  readonly faults: Faults;
  /** Calls in the order in which they came. */
  readonly calls: readonly TelegramCall[];
  /** Calls of one method. */
  callsOf(method: string): readonly TelegramCall[];
  readonly violations: readonly SpecViolation[];
  /** Whether calls are checked against the whole spec. */
  readonly hasWholeSpec: boolean;
  /** Answers 401, 403 and 429 so far: what a bot must not collect. */
  readonly invalid: { readonly unauthorized: number; readonly forbidden: number; readonly tooMany: number };
  onCall(method: string, hook: CallHook): () => void;
  /** What the bot sent to a chat, oldest first, also what it deleted again. */
  sentTo(chat: ChatRef): readonly StoredMessage[];
  /** What somebody who opens the chat sees, oldest first. */
  visible(chat: ChatRef): readonly TelegramMessage[];
  /** Chat actions of the bot in a chat. */
  actionsIn(
    chat: ChatRef,
  ): readonly { readonly action: string; readonly topic: number | undefined; readonly atMs: number }[];
  /** Reactions of the bot to a message. */
  reactionsOf(message: TelegramMessage): readonly object[];
  /** Bytes of a file by its id. */
  fileBytes(fileId: string): Uint8Array | undefined;
  readonly commandMenus: ReadonlyMap<string, readonly BotCommand[]>;
  /** Presses that were not answered. */
  readonly openPresses: ReadonlySet<string>;
  /** Breaks all lines and stops. */
  close(): Promise<void>;
}

const TOKEN = '100200300:emulated-token';

const BOT: TelegramBot = {
  id: 100200300,
  is_bot: true,
  first_name: 'Emulated',
  username: 'emulated_bot',
  can_join_groups: true,
  can_read_all_group_messages: true,
  supports_inline_queries: false,
};

/** @returns a server on 127.0.0.1 */
export async function startTelegramServer(options: TelegramServerOptions = {}): Promise<TelegramServer> {
  const { token = TOKEN, clock = machineClock, keep } = options;
  const spec = readTelegramSpec(options.specDirectory ?? process.env.AGENT_RUNTIME_SPEC_DIR);
  const bot: TelegramBot = { ...BOT, ...options.bot };
  const world = new World(bot, clock, { messagesPerChat: keep?.messagesPerChat ?? Number.POSITIVE_INFINITY });
  const updates = new UpdateQueue(clock, options.firstUpdateId ?? 1);
  const webhook = new Webhook(clock, updates, options.webhookRetryMs ?? 20);
  const callbacks = new Set<string>();
  const commands = new CommandBook();
  const faults = new Faults(clock);
  const desk = new Desk({
    backend: { world, updates, webhook, commands, callbacks },
    clock,
    check: new SpecCheck(spec ?? basicSpec, spec !== undefined),
    faults,
    rates: new Rates(clock, options.rates ?? {}),
    keptCalls: keep?.calls ?? Number.POSITIVE_INFINITY,
  });
  const { server, apiRoot } = await listen(options.port ?? 0, { desk, world, token });

  return {
    apiRoot,
    token,
    bot,
    cast: castOf(world),
    people: new People(world, updates, callbacks),
    updates,
    webhook,
    faults,
    calls: desk.calls,
    callsOf: (method) => desk.calls.filter((call) => call.method === method),
    violations: desk.violations,
    hasWholeSpec: spec !== undefined,
    get invalid() {
      const count = (status: number): number => desk.invalid.get(status) ?? 0;
      return { unauthorized: count(401), forbidden: count(403), tooMany: count(429) };
    },
    onCall: (method, hook) => desk.onCall(method, hook),
    sentTo: (chat) => [...world.room(chatIdOf(chat)).messages.values()].filter(({ isOwn }) => isOwn),
    visible: (chat) =>
      [...world.room(chatIdOf(chat)).messages.values()]
        .filter(({ isDeleted }) => !isDeleted)
        .map(({ now }) => now),
    actionsIn: (chat) => world.room(chatIdOf(chat)).actions,
    reactionsOf: ({ chat, message_id }) =>
      world.room(chat.id).messages.get(message_id)?.reactions.get(bot.id) ?? [],
    fileBytes: (fileId) => world.files.get(fileId)?.bytes,
    commandMenus: commands.menus,
    openPresses: callbacks,
    close: async () => {
      webhook.close();
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

function castOf(world: World): TelegramCast {
  const asMember = (user: TelegramUser, status: TelegramStatus = 'member'): TelegramMember => ({
    user,
    status,
  });
  return {
    user: (about) => {
      const user: TelegramUser = { id: about.id ?? world.nextId(), is_bot: false, ...about };
      world.users.set(user.id, user);
      return user;
    },
    privateChat: (user, isStarted = true) => {
      const { id, first_name, last_name, username } = user;
      const names = { ...(last_name && { last_name }), ...(username && { username }) };
      const bot = isStarted ? [asMember(world.bot)] : [];
      return world.addRoom({ id, type: 'private', first_name, ...names }, [asMember(user), ...bot]).chat;
    },
    chat: ({ type, title, username, isForum, id, members = [], bot }) => {
      const own = id ?? (type === 'group' ? -world.nextId() : -1_000_000_000_000 - world.nextId());
      const names = { ...(username && { username }), ...(isForum === true && { is_forum: true as const }) };
      const standing = bot ?? (type === 'channel' ? 'administrator' : 'member');
      const all = [...members.map((user) => asMember(user)), asMember(world.bot, standing)];
      return world.addRoom({ id: own, type, title, ...names }, all).chat;
    },
  };
}

interface Site {
  readonly desk: Desk;
  readonly world: World;
  readonly token: string;
}

async function listen(
  port: number,
  site: Site,
): Promise<{ readonly server: ReturnType<typeof createServer>; readonly apiRoot: string }> {
  const server = createServer((message, response) => {
    serve(message, response, site).catch((error: unknown) => {
      if (response.destroyed) return;
      response.writeHead(500, { 'content-type': 'text/plain' });
      response.end(`The emulator failed: ${error instanceof Error ? error.stack : String(error)}`);
    });
  });
  server.listen(port, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address() as AddressInfo; // safe: it listens on TCP
  return { server, apiRoot: `http://127.0.0.1:${address.port}` };
}

async function serve(message: IncomingMessage, response: ServerResponse, site: Site): Promise<void> {
  const url = new URL(message.url ?? '/', 'http://emulator');
  const found = /^\/(file\/)?bot([^/]+)\/(.+)$/.exec(url.pathname.replace('%3A', ':'));
  if (found === null) return void write(response, site.desk.refuse(new Refusal(404, 'Not Found')));
  const [, file, token, rest = ''] = found;
  if (token !== site.token) {
    message.resume();
    return void write(response, site.desk.refuse(new Refusal(401, 'Unauthorized')));
  }
  if (file !== undefined) return void download(response, rest, site);
  const hungUp = new AbortController();
  response.on('close', () => {
    if (!response.writableFinished) hungUp.abort();
  });
  write(response, await answer(message, rest, url.searchParams, { site, signal: hungUp.signal }));
}

async function answer(
  message: IncomingMessage,
  method: string,
  query: URLSearchParams,
  { site, signal }: { readonly site: Site; readonly signal: AbortSignal },
): Promise<Reply> {
  try {
    return await site.desk.take(method, await readParams(message, query), signal);
  } catch (error) {
    // A body that cannot be read is no call yet.
    if (error instanceof Refusal) return site.desk.refuse(error);
    throw error;
  }
}

function download(response: ServerResponse, path: string, { world, desk }: Site): void {
  for (const content of world.files.values()) {
    if (content.path !== path) continue;
    response.writeHead(200, {
      'content-type': 'application/octet-stream',
      'content-length': content.bytes.length,
    });
    return void response.end(content.bytes);
  }
  write(response, desk.refuse(new Refusal(404, 'Not Found')));
}

function write(response: ServerResponse, reply: Reply): void {
  if (response.destroyed) return;
  switch (reply.kind) {
    case 'hang':
      return;
    case 'drop':
      // A reset, not an end in good order: that is what a lost line looks like.
      response.socket?.resetAndDestroy();
      return;
    case 'page':
      response.writeHead(reply.status, { 'content-type': 'text/html' });
      return void response.end(`<html><body><h1>${reply.status} Bad Gateway</h1></body></html>`);
    case 'json':
      response.writeHead(reply.status, {
        'content-type': 'application/json',
        'content-length': Buffer.byteLength(reply.body),
        ...(reply.retryAfter === undefined ? {} : { 'retry-after': String(reply.retryAfter) }),
      });
      return void response.end(reply.body);
    default:
      reply satisfies never;
  }
}
