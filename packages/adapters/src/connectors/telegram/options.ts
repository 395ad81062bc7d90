import { AppError, type Clock, type ConnectorMemory, type Logger } from '@agent-runtime/domain';

/** A command of the menu that Telegram shows while somebody types `/`. */
export interface TelegramCommand {
  /** Lower-case letters, digits and underscores, at most 32. */
  readonly name: string;
  readonly help: string;
  /** Where it is shown; everywhere when absent. */
  readonly in?: readonly TelegramCommandScope[] | undefined;
}
export type TelegramCommandScope = 'private' | 'groups' | 'administrators';

export interface TelegramOptions {
  /** Read at each call: a new one counts at once. */
  readonly token: () => string;
  /** Root of the Bot API without a slash at its end. Default: Telegram's own. */
  readonly apiRoot?: string | undefined;
  /** `polling`: we ask · `webhook`: Telegram calls, and the runtime hands the bodies to `receive`. */
  readonly mode: 'polling' | 'webhook';
  /** Of the public host; `/telegram/webhook` is added. */
  readonly publicUrl?: string | undefined;
  /** 1 to 256 letters, digits, `_` and `-`. */
  readonly webhookSecret?: string | undefined;
  readonly memory: ConnectorMemory;
  readonly clock: Clock;
  readonly log: Logger;
  readonly commands?: readonly TelegramCommand[] | undefined;
  /** Messages of one answer before it is sent as a file. */
  readonly maxParts?: number | undefined;
  /** Calls a second over all, 25 unless said. The server allows about 30; infinity for a server without limits. */
  readonly perSecond?: number | undefined;
  /** What carries the calls; the library's own when absent. */
  readonly fetch?: typeof globalThis.fetch | undefined;
}

/** Where Telegram calls, and with which word it shows that it is Telegram. */
export interface WebhookTarget {
  readonly url: string;
  readonly secret: string;
}

/**
 * Id of the bot's account, which is the first half of its token.
 * @throws AppError connectors.telegram.invalid
 */
export function botIdOf(token: string): string {
  const id = /^(\d{1,16}):\S+$/.exec(token)?.[1];
  if (id === undefined)
    throw invalid(
      'The token of the Telegram bot has not the form 123456:ABC. Copy it from @BotFather as it stands.',
    );
  return id;
}

/**
 * Where the webhook of these options is; undefined for polling.
 * @throws AppError connectors.telegram.invalid when anybody could speak in Telegram's name, or Telegram could not call
 */
export function webhookTarget(options: TelegramOptions): WebhookTarget | undefined {
  if (options.mode === 'polling') return undefined;
  const { publicUrl = '', webhookSecret = '' } = options;
  if (!/^[A-Za-z0-9_-]{1,256}$/.test(webhookSecret))
    throw invalid(
      'The webhook of Telegram needs a secret of 1 to 256 letters, digits, "_" and "-": without one anybody could speak in its name.',
    );
  if (!URL.canParse(publicUrl) || !isReachable(new URL(publicUrl)))
    throw invalid('The webhook of Telegram needs the public address of this host, beginning with https://.');
  return { url: `${publicUrl.replace(/\/+$/, '')}/telegram/webhook`, secret: webhookSecret };
}

/** Plain HTTP only for servers on this machine, as in tests. */
function isReachable({ protocol, hostname }: URL): boolean {
  const isLoopback =
    hostname === 'localhost' || hostname === '[::1]' || /^127(?:\.\d{1,3}){3}$/.test(hostname);
  return protocol === 'https:' || (protocol === 'http:' && isLoopback);
}

function invalid(message: string): AppError {
  return new AppError({ code: 'connectors.telegram.invalid', kind: 'invalid', message });
}
