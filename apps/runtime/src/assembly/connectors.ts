import { folderConnector } from '@agent-runtime/adapters';
import type { Clock, Connector, ConnectorMemory, Logger } from '@agent-runtime/domain';
import type { MenuEntry } from '@agent-runtime/engine';
import { type Config, discordToken, telegramToken } from '../config.ts';
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
 * Makes the connectors that are configured; each platform's library is loaded only for it. Nobody listens yet. A token in the vault that
 * is none leaves its platform out and says so; one in the environment has stopped the start before.
 */
export async function makeChats(input: ChatsInput): Promise<Chats> {
  const { config, clock, log } = input;
  const left: string[] = [];
  const connectors: Connector[] = [];
  if (config.memoryDir !== undefined)
    connectors.push(folderConnector({ folder: config.memoryDir, clock, log }));
  const telegram = await telegramOf(input, left);
  if (telegram !== undefined) connectors.push(telegram.connector);
  const discord = await discordOf(input, left);
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

async function telegramOf(
  input: ChatsInput,
  left: string[],
): Promise<{ readonly connector: Connector; readonly hook: TelegramHook | undefined } | undefined> {
  const { config, secrets } = input;
  const given = secrets.get('TELEGRAM_TOKEN');
  if (given === undefined) return undefined;
  const token = telegramToken.safeParse(given);
  if (!token.success) {
    left.push(notAToken('TELEGRAM_TOKEN'));
    return undefined;
  }
  const { botIdOf, isWebhookSecret, telegramConnector } = await import('@agent-runtime/adapters/telegram');
  const secret = secrets.get('TELEGRAM_WEBHOOK_SECRET');
  const connector = telegramConnector({
    token: () => token.data,
    apiRoot: config.TELEGRAM_API_ROOT,
    mode: config.TELEGRAM_MODE,
    publicUrl: config.PUBLIC_URL,
    webhookSecret: secret,
    memory: input.memoryOf(`telegram:${botIdOf(token.data)}`),
    commands: telegramMenu(input.commands),
    perSecond: config.TELEGRAM_PER_SECOND,
    clock: input.clock,
    log: input.log,
  });
  const hook: TelegramHook | undefined =
    config.TELEGRAM_MODE === 'webhook' && secret !== undefined
      ? {
          isGenuine: (header) => isWebhookSecret(header, secret),
          receive: (update) => connector.receive(update),
        }
      : undefined;
  return { connector, hook };
}

async function discordOf(input: ChatsInput, left: string[]): Promise<Connector | undefined> {
  const { config, secrets } = input;
  const given = secrets.get('DISCORD_TOKEN');
  if (given === undefined) return undefined;
  const token = discordToken.safeParse(given);
  if (!token.success) {
    left.push(notAToken('DISCORD_TOKEN'));
    return undefined;
  }
  const { accountOf, discordConnector } = await import('@agent-runtime/adapters/discord');
  return discordConnector({
    token: () => token.data,
    apiRoot: config.DISCORD_API_ROOT,
    memory: input.memoryOf(`discord:${accountOf(token.data)}`),
    commands: discordMenu(input.commands),
    clock: input.clock,
    log: input.log,
  });
}

function notAToken(name: string): string {
  return `The vault holds a ${name} that is not a bot token: set it again (agent-runtime secret set ${name}) and start again.`;
}
