import type { Clock } from '@agent-runtime/domain';
import { basicSpec } from './basic-spec.ts';
import { castOf, type TelegramCast } from './cast.ts';
import { machineClock } from './clock.ts';
import { type BotCommand, CommandBook } from './commands.ts';
import { type CallHook, Desk, type SpecViolation, type TelegramCall } from './desk.ts';
import { Faults } from './faults.ts';
import { listen } from './http.ts';
import { People } from './people.ts';
import { type RateRules, Rates } from './rates.ts';
import { readTelegramSpec, SpecCheck } from './spec.ts';
import { UpdateQueue } from './updates.ts';
import { Webhook } from './webhook.ts';
import { type ChatRef, chatIdOf, type TelegramBot, type TelegramMessage } from './wire.ts';
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
  const { server, apiRoot } = await listen(options.port ?? 0, { desk, token });

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
