import { createHash, timingSafeEqual } from 'node:crypto';
import type { WebhookTarget } from './options.ts';
import type { Patience } from './patience.ts';
import { ALLOWED_UPDATES } from './update.ts';

const LOOK_MS = 300_000;

const STOLEN =
  'Somebody else has changed the webhook of this bot. If it was none of you, its token is stolen: revoke it with @BotFather.';

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

/** Where Telegram calls at present; empty: nowhere. */
export async function webhookUrl({ client, signal }: Patience): Promise<string> {
  const scope = 'method getWebhookInfo' as const;
  const info = await client.call({ scope, signal, isCounted: false }, (api, abort) =>
    api.getWebhookInfo(abort),
  );
  return info.url ?? '';
}

/**
 * Looks every five minutes whether the webhook is still what we made it, says so when it is not, and puts it right.
 * @param onLook called after each look, for housekeeping
 */
export async function watchWebhook(
  parts: Patience,
  target: WebhookTarget | undefined,
  onLook: () => Promise<void>,
): Promise<void> {
  const { clock, signal, alarms, log } = parts;
  for (await clock.sleep(LOOK_MS, signal); !signal.aborted; await clock.sleep(LOOK_MS, signal)) {
    try {
      if ((await webhookUrl(parts)) === (target?.url ?? '')) alarms.clear('webhook');
      else {
        alarms.raise('webhook', STOLEN);
        await setWebhook(parts, target);
      }
      await onLook();
    } catch (thrown) {
      if (!signal.aborted) log.warn({ error: nameOf(thrown) }, 'The look after five minutes went wrong.');
    }
  }
}

function nameOf(thrown: unknown): string {
  return thrown instanceof Error && 'code' in thrown ? String(thrown.code) : 'unknown';
}
