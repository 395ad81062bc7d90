import { folderConnector } from '@agent-runtime/adapters';
import {
  AppError,
  type Clock,
  type Connector,
  type ConnectorMemory,
  type Logger,
} from '@agent-runtime/domain';
import type { MenuEntry } from '@agent-runtime/engine';
import { type Config, discordToken, telegramToken, webhookSecret } from '../config.ts';
import { discordMenu, telegramMenu } from './menus.ts';
import type { Secrets } from './secrets.ts';

/** The chat platforms of this process. */
export interface Chats {
  readonly connectors: readonly Connector[];
  /** Updates that Telegram posts to us; absent unless it was told to. */
  readonly telegramHook: TelegramHook | undefined;
  /** Why a platform that is configured is not served; empty when all are. */
  readonly reasons: () => readonly string[];
}

export interface TelegramHook {
  /** Compares in constant time what stands in `X-Telegram-Bot-Api-Secret-Token`. */
  isGenuine(secret: string | undefined): boolean;
  /** Resolves when what the update causes is durable. */
  receive(update: unknown): Promise<void>;
}

export interface ChatsInput {
  readonly config: Config;
  readonly secrets: Pick<Secrets, 'get'>;
  readonly memoryOf: (source: string) => ConnectorMemory;
  readonly commands: readonly MenuEntry[];
  readonly clock: Clock;
  readonly log: Logger;
}

/**
 * Makes the connectors that are configured; each platform's library is loaded only for it. Nobody listens yet. What cannot be used (a token
 * in the vault that is none, a webhook without its secret) leaves its platform out and says so: the vault is mended through a runtime that runs.
 */
export async function makeChats(input: ChatsInput): Promise<Chats> {
  const { config, clock, log } = input;
  const left: string[] = [];
  const connectors: Connector[] = [];
  if (config.memoryDir !== undefined)
    connectors.push(folderConnector({ folder: config.memoryDir, clock, log }));
  const telegram = await unlessUnusable(left, () => telegramOf(input));
  if (telegram !== undefined) connectors.push(telegram.connector);
  const discord = await unlessUnusable(left, () => discordOf(input));
  if (discord !== undefined) connectors.push(discord);
  for (const reason of left) log.error({ room: 'connectors' }, reason);
  return {
    connectors,
    telegramHook: telegram?.hook,
    reasons: () => [
      ...left,
      ...connectors.flatMap((one) => {
        const trouble = one.trouble?.();
        return trouble === undefined ? [] : [`${one.name}: ${trouble}`];
      }),
    ],
  };
}

async function unlessUnusable<T>(left: string[], make: () => Promise<T>): Promise<T | undefined> {
  try {
    return await make();
  } catch (thrown) {
    if (!(thrown instanceof AppError) || thrown.kind !== 'invalid') throw thrown;
    left.push(thrown.message);
    return undefined;
  }
}

async function telegramOf(
  input: ChatsInput,
): Promise<{ readonly connector: Connector; readonly hook: TelegramHook | undefined } | undefined> {
  const { config, secrets } = input;
  const token = usable('TELEGRAM_TOKEN', secrets.get('TELEGRAM_TOKEN'), telegramToken);
  if (token === undefined) return undefined;
  const isCalled = config.TELEGRAM_MODE === 'webhook';
  const secret = isCalled
    ? usable('TELEGRAM_WEBHOOK_SECRET', secrets.get('TELEGRAM_WEBHOOK_SECRET') ?? '', webhookSecret)
    : undefined;
  const { botIdOf, isWebhookSecret, telegramConnector } = await import('@agent-runtime/adapters/telegram');
  const account = botIdOf(token);
  const connector = telegramConnector({
    token: () =>
      newest(secrets.get('TELEGRAM_TOKEN'), telegramToken, (one) => botIdOf(one) === account) ?? token,
    apiRoot: config.TELEGRAM_API_ROOT?.replace(/\/+$/, ''),
    mode: config.TELEGRAM_MODE,
    publicUrl: config.PUBLIC_URL,
    webhookSecret: secret,
    memory: input.memoryOf(`telegram:${account}`),
    commands: telegramMenu(input.commands),
    perSecond: config.TELEGRAM_PER_SECOND,
    clock: input.clock,
    log: input.log,
  });
  if (secret === undefined) return { connector, hook: undefined };
  const hook: TelegramHook = {
    isGenuine: (header) => isWebhookSecret(header, secret),
    receive: (update) => connector.receive(update),
  };
  return { connector, hook };
}

async function discordOf(input: ChatsInput): Promise<Connector | undefined> {
  const { config, secrets } = input;
  const token = usable('DISCORD_TOKEN', secrets.get('DISCORD_TOKEN'), discordToken);
  if (token === undefined) return undefined;
  const { accountOf, discordConnector } = await import('@agent-runtime/adapters/discord');
  const account = accountOf(token);
  return discordConnector({
    token: () =>
      newest(secrets.get('DISCORD_TOKEN'), discordToken, (one) => accountOf(one) === account) ?? token,
    apiRoot: config.DISCORD_API_ROOT,
    memory: input.memoryOf(`discord:${account}`),
    commands: discordMenu(input.commands),
    clock: input.clock,
    log: input.log,
  });
}

type Form = { safeParse(value: unknown): { readonly success: boolean; readonly data?: string | undefined } };

/** @throws AppError runtime.secret.invalid for a value of another form; the environment's were looked at before */
function usable(name: string, value: string | undefined, form: Form): string | undefined {
  if (value === undefined) return undefined;
  const parsed = form.safeParse(value);
  if (parsed.success && parsed.data !== undefined) return parsed.data;
  throw new AppError({
    code: 'runtime.secret.invalid',
    kind: 'invalid',
    message: `${name} is missing, or has not the form it must have: set it (agent-runtime secret set ${name}) and start again.`,
  });
}

/** A fresh token of the same account counts at once; one of another account is another bot, and waits for the next start. */
function newest(
  value: string | undefined,
  form: Form,
  isSame: (token: string) => boolean,
): string | undefined {
  const parsed = form.safeParse(value);
  if (!parsed.success || parsed.data === undefined) return undefined;
  try {
    return isSame(parsed.data) ? parsed.data : undefined;
  } catch {
    return undefined;
  }
}
