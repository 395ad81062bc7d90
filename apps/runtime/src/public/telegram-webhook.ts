import { AppError } from '@agent-runtime/domain';
import type { Context } from 'hono';
import type { TelegramHook } from '../assembly/connectors.ts';
import { readJson } from './body.ts';

const SECRET_HEADER = 'X-Telegram-Bot-Api-Secret-Token';

/**
 * `POST /telegram/webhook`: one update. Answers only after what it causes is durable; anything but 200 brings it again.
 * @param takeAnonymous counts a refused caller, and throws when strangers have been refused too often
 * @throws AppError public.webhook.unauthenticated · public.body.invalid · what accepting throws
 */
export async function takeUpdate(
  hook: TelegramHook,
  context: Context,
  takeAnonymous: () => void,
): Promise<Response> {
  // Before the body is read: strangers cost nothing.
  if (!hook.isGenuine(context.req.header(SECRET_HEADER))) {
    takeAnonymous();
    throw new AppError({
      code: 'public.webhook.unauthenticated',
      kind: 'unauthenticated',
      message: 'Only Telegram posts here, with the secret that it was given.',
    });
  }
  await hook.receive(await readJson(context.req.raw));
  return context.json({ ok: true });
}
