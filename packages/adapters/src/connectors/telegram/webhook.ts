import { createHash, timingSafeEqual } from 'node:crypto';
import { cutText } from '@agent-runtime/domain';
import type { WebhookTarget } from './options.ts';
import type { Patience } from './patience.ts';
import { ALLOWED_UPDATES } from './update.ts';

const LOOK_MS = 300_000;
const MAX_WORDS_CHARS = 200;

const STOLEN =
  'Somebody else has changed the webhook of this bot. If it was none of you, its token is stolen: revoke it with @BotFather. This stays until there is another token or a restart.';

/** Compares the header `X-Telegram-Bot-Api-Secret-Token` of a request in constant time; nothing equals an empty secret. */
export function isWebhookSecret(header: string | undefined, secret: string): boolean {
  const digest = (text: string): Buffer => createHash('sha256').update(text).digest();
  return timingSafeEqual(digest(header ?? ''), digest(secret)) && secret !== '';
}

/** Makes Telegram call us, or nobody at all when there is no target. What waits there stays. */
export async function setWebhook(
  { client, signal }: Patience,
  target: WebhookTarget | undefined,
): Promise<void> {
  if (target === undefined) {
    const scope = 'method deleteWebhook' as const;
    await client.call({ scope, signal, isCounted: false }, (api, abort) => api.raw.deleteWebhook({}, abort));
    return;
  }
  const body = { url: target.url, secret_token: target.secret, allowed_updates: ALLOWED_UPDATES };
  const scope = 'method setWebhook' as const;
  await client.call({ scope, signal, isCounted: false }, (api, abort) => api.raw.setWebhook(body, abort));
}

/** What Telegram says of its calls. */
export interface WebhookState {
  /** Empty: nowhere. */
  readonly url: string;
  /** The last call that went wrong. */
  readonly fault: { readonly atMs: number; readonly words: string } | undefined;
}

/** Where Telegram calls at present, and how it fares. */
export async function webhookState({ client, signal }: Patience): Promise<WebhookState> {
  const scope = 'method getWebhookInfo' as const;
  const info = await client.call({ scope, signal, isCounted: false }, (api, abort) =>
    api.getWebhookInfo(abort),
  );
  const { url, last_error_date: date, last_error_message: words = '' } = info;
  return { url: url ?? '', fault: date === undefined ? undefined : { atMs: date * 1000, words } };
}

/**
 * Looks every five minutes whether the webhook is still what we made it and whether Telegram gets through, says so when not, and puts
 * right what it can. That somebody else changed it stays said: setting it again takes no token from anybody.
 * @param onLook called after each look, for housekeeping
 */
export async function watchWebhook(
  parts: Patience,
  target: WebhookTarget | undefined,
  onLook: () => Promise<void>,
): Promise<void> {
  const { clock, signal, log } = parts;
  let lookedAtMs = clock.nowMs();
  for (await clock.sleep(LOOK_MS, signal); !signal.aborted; await clock.sleep(LOOK_MS, signal)) {
    try {
      const nowMs = clock.nowMs();
      await look(parts, target, lookedAtMs);
      lookedAtMs = nowMs;
      await onLook();
    } catch (thrown) {
      if (!signal.aborted) log.warn({ error: nameOf(thrown) }, 'The look after five minutes went wrong.');
    }
  }
}

async function look(parts: Patience, target: WebhookTarget | undefined, sinceMs: number): Promise<void> {
  const { alarms } = parts;
  const { url, fault } = await webhookState(parts);
  if (url !== (target?.url ?? '')) {
    alarms.raise('stolen', STOLEN);
    await setWebhook(parts, target);
    return;
  }
  // Telegram tells whole seconds.
  const isNew = target !== undefined && fault !== undefined && fault.atMs + 1_000 > sinceMs;
  if (!isNew) {
    alarms.clear('webhook');
    return;
  }
  alarms.raise('webhook', unreachedWords(fault.words));
  // It calls with a secret that is not ours.
  if (/\b401\b|Unauthorized/i.test(fault.words)) await setWebhook(parts, target);
}

function unreachedWords(words: string): string {
  return `Telegram does not get through to the webhook (${cutText(words.toWellFormed(), MAX_WORDS_CHARS)}): check PUBLIC_URL and the proxy.`;
}

function nameOf(thrown: unknown): string {
  return thrown instanceof Error && 'code' in thrown ? String(thrown.code) : 'unknown';
}
