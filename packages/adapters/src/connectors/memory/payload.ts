import type { Draft, JsonObject, RenderContext } from '@agent-runtime/domain';
import { splitText } from '../split.ts';

/** Most characters of one message, unless configured otherwise. */
export const MEMORY_LIMIT_CHARS = 4_000;

/**
 * Wire payloads of the memory chat: `{channel, text, reply_to?, buttons?}`. The first part answers, the last carries the buttons.
 * Pure: the same draft and context give the same bytes.
 */
export function renderMemory(
  draft: Draft,
  context: RenderContext,
  limitChars: number,
): readonly JsonObject[] {
  const parts = splitText(draft.text, limitChars);
  return parts.map((text, index) => ({
    channel: context.address,
    text,
    ...(index === 0 && draft.replyTo !== undefined ? { reply_to: draft.replyTo } : {}),
    ...(index === parts.length - 1 && draft.buttons !== undefined && draft.buttons.length > 0
      ? { buttons: draft.buttons.map(({ id, label }) => ({ id, label })) }
      : {}),
  }));
}
