import {
  type Accept,
  AppError,
  type Clock,
  type Connector,
  type ConnectorMemory,
  type Logger,
  type Suggest,
} from '@agent-runtime/domain';
import type { RESTOptions } from 'discord.js';
import { answerTokens } from './answers.ts';
import { type DiscordCommand, registerCommands } from './commands.ts';
import { type DeliverDeps, deliverDiscord, reconcileDiscord } from './deliver.ts';
import { discordGateway, type Gateway } from './gateway.ts';
import { nameOf } from './lanes.ts';
import { type Listener, listener } from './listen.ts';
import { liveMessages } from './live.ts';
import { type Marks, marksOf } from './marks.ts';
import { renderDraft } from './render.ts';
import { type Api, discordApi } from './rest.ts';
import { sentLately } from './sent.ts';
import { isSnowflake } from './snowflake.ts';

export interface DiscordOptions {
  /** Read at each call. */
  readonly token: () => string;
  /** Without a version: `https://discord.com/api`. The address of the gateway is asked for there. */
  readonly apiRoot?: string | undefined;
  readonly memory: ConnectorMemory;
  readonly clock: Clock;
  readonly log: Logger;
  readonly commands: readonly DiscordCommand[];
  /** Messages that an answer may be cut into before it becomes a file; 5 unless said. */
  readonly maxParts?: number | undefined;
  /** Between two frames of a live answer, ms; 1,200 unless said: Discord allows five edits in five seconds and a channel. */
  readonly everyMs?: number | undefined;
  /** For one call, ms; 15,000 unless said. */
  readonly timeoutMs?: number | undefined;
  /** Longest wait for room in a bucket that is known to be empty, ms; 2,000 unless said. Beyond it the call counts as `exhausted`. */
  readonly patienceMs?: number | undefined;
  /** What was said longer ago than this while nobody listened is left unread, ms; one day unless said. */
  readonly backfillMaxAgeMs?: number | undefined;
  /** Handed in, so that a test can break the line. */
  readonly makeRequest?: RESTOptions['makeRequest'] | undefined;
}

const DEFAULT_ROOT = 'https://discord.com/api';
const DAY_MS = 24 * 3_600_000;
/** Marks are written this often, ms: what a crash forgets is read again and dropped as a repeat. */
const FLUSH_MS = 2_000;
const BACKFILL_PAGES = 5;
const BACKFILL_CHANNELS = 200;
const REGISTER_RETRY_MS = 60_000;
/** Stopping waits this long for what is under way, then as long for the last note, ms. What is cut off is asked for at the next start. */
const STOP_MS = 2_400;
const LAST_NOTE_MS = 500;

/** Discord: servers, threads and direct messages by its gateway, answers by its REST API. */
export function discordConnector(options: DiscordOptions): Connector {
  const { clock, log, memory } = options;
  const apiRoot = (options.apiRoot ?? DEFAULT_ROOT).replace(/\/+$/, '');
  const account = accountOf(options.token());
  const api = discordApi({
    token: options.token,
    apiRoot,
    clock,
    timeoutMs: options.timeoutMs ?? 15_000,
    patienceMs: options.patienceMs ?? 2_000,
    makeRequest: options.makeRequest,
  });
  const tokens = answerTokens(memory, clock);
  const sent = sentLately(clock);
  const live = liveMessages({
    api,
    memory,
    tokens,
    clock,
    log,
    account,
    sent,
    everyMs: options.everyMs ?? 1_200,
  });
  const delivering: DeliverDeps = { api, tokens, live, clock, account, sent };
  const listening = listeningTo(options, { api, apiRoot, account, tokens });
  return {
    name: 'discord',
    account,
    delivery: 'push',
    // Within the window of the nonce Discord drops the repeat; after it `deliver` looks before it sends.
    dropsRepeats: true,
    render: (draft, context) => renderDraft(draft, context, options.maxParts ?? 5),
    deliver: (payload, to, signal) => deliverDiscord(delivering, payload, to, signal),
    reconcile: (payload, to, signal) => reconcileDiscord(delivering, payload, to, signal),
    live: live.talk,
    start: listening.start,
    stop: listening.stop,
    trouble: listening.trouble,
  };
}

/**
 * The id of the bot: a token begins with it.
 * @throws AppError connectors.discord_token.invalid
 */
export function accountOf(token: string): string {
  const id = Buffer.from(token.split('.')[0] ?? '', 'base64').toString('latin1');
  if (isSnowflake(id) && token.split('.').length === 3) return id;
  throw new AppError({
    code: 'connectors.discord_token.invalid',
    kind: 'invalid',
    message:
      'This is no token of a Discord bot. Copy it from the developer portal (Bot > Reset Token); it has three parts with dots between.',
  });
}

interface Listening {
  start(accept: Accept, suggest?: Suggest): Promise<void>;
  stop(): Promise<void>;
  trouble(): string | undefined;
}

interface Session {
  readonly control: AbortController;
  readonly gateway: Gateway;
  readonly listener: Listener;
  readonly marks: Marks;
  readonly beats: Promise<void>;
}

function listeningTo(
  options: DiscordOptions,
  deps: {
    readonly api: Api;
    readonly apiRoot: string;
    readonly account: string;
    readonly tokens: ReturnType<typeof answerTokens>;
  },
): Listening {
  const { clock, log, memory } = options;
  const commands = new Map(options.commands.map((command) => [command.name, command]));
  let session: Session | undefined;

  const stop = async (): Promise<void> => {
    const ending = session;
    session = undefined;
    if (ending === undefined) return;
    // While the line was good until now, nothing older is missing.
    if (ending.gateway.isOpen()) ending.marks.breathe();
    ending.control.abort();
    await within(STOP_MS, Promise.all([ending.gateway.stop(), ending.listener.idle(), ending.beats]));
    const noted = ending.marks.flush(true).catch((error: unknown) => warnOfMarks(log, error));
    await within(LAST_NOTE_MS, noted);
  };

  const start = async (accept: Accept, suggest?: Suggest): Promise<void> => {
    await stop();
    const control = new AbortController();
    const { signal } = control;
    const marks = marksOf(memory, { clock, maxAgeMs: options.backfillMaxAgeMs ?? DAY_MS });
    await marks.load();
    const application = Promise.withResolvers<string>();
    const heard = listener({
      ...deps,
      clock,
      log,
      marks,
      commands,
      accept,
      suggest,
      signal,
      ready: application.resolve,
      source: `discord:${deps.account}`,
      backfillPages: BACKFILL_PAGES,
      backfillChannels: BACKFILL_CHANNELS,
    });
    const gateway = discordGateway({ ...deps, token: options.token, clock, log, take: heard.take });
    const beats = Promise.all([
      keepMarks(marks, gateway, options, signal),
      keepMenu(options, { api: deps.api, application: application.promise }, signal),
    ]);
    session = { control, gateway, listener: heard, marks, beats: beats.then(() => {}) };
    gateway.start();
  };

  return {
    start,
    stop,
    trouble: () => session?.gateway.trouble() ?? (session ? undefined : 'Not listening to Discord.'),
  };
}

async function keepMarks(
  marks: Marks,
  gateway: Gateway,
  { clock, log }: DiscordOptions,
  signal: AbortSignal,
): Promise<void> {
  while (!signal.aborted) {
    await clock.sleep(FLUSH_MS, signal);
    if (signal.aborted) return;
    if (gateway.isOpen()) marks.breathe();
    await marks.flush().catch((error: unknown) => warnOfMarks(log, error));
  }
}

function warnOfMarks(log: Logger, error: unknown): void {
  log.warn({ room: 'discord', error: nameOf(error) }, 'How far Discord was heard could not be written down.');
}

/** Commands are a menu: without it people can still write, so that nothing waits for it. */
async function keepMenu(
  { commands, memory, clock, log }: DiscordOptions,
  deps: { readonly api: Api; readonly application: Promise<string> },
  signal: AbortSignal,
): Promise<void> {
  const { api } = deps;
  const application = await Promise.race([deps.application, aborted(signal)]);
  if (application === undefined) return;
  while (!signal.aborted) {
    try {
      const isNew = await registerCommands({ api, application, memory, signal }, commands);
      return void (
        isNew &&
        log.info({ room: 'discord', commands: commands.length }, 'The commands of Discord were written anew.')
      );
    } catch (error) {
      if (signal.aborted) return;
      log.warn(
        { room: 'discord', error: nameOf(error) },
        'The commands could not be registered at Discord; it is tried again.',
      );
      const isLasting = error instanceof AppError && error.kind === 'rejected';
      if (isLasting) return;
      const pauseMs = error instanceof AppError ? error.retryAfterMs : undefined;
      await clock.sleep(Math.max(pauseMs ?? 0, REGISTER_RETRY_MS), signal);
    }
  }
}

function aborted(signal: AbortSignal): Promise<undefined> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve(undefined);
    else signal.addEventListener('abort', () => resolve(undefined), { once: true });
  });
}

/** Real time: whoever stops a process does not wait for its clock. */
async function within(ms: number, work: Promise<unknown>): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>();
  const timer = setTimeout(resolve, ms);
  await Promise.race([work, promise]);
  clearTimeout(timer);
}
