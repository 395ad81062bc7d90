import type { Draft, JsonObject, RenderContext } from '@agent-runtime/domain';
import { splitText } from '../split.ts';

/** Most characters of one message, unless configured otherwise. */
export const MEMORY_LIMIT_CHARS = 4_000;

/**
 * Wire payloads of the memory chat: `{channel, text, reply_to?, edits?, live?, buttons?}`. The first part answers, or takes the place of an
 * older or a live message; the last carries the buttons.
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
    ...(index === 0 ? firstOf(draft) : {}),
    ...(index === parts.length - 1 && draft.buttons !== undefined && draft.buttons.length > 0
      ? { buttons: draft.buttons.map(({ id, label }) => ({ id, label })) }
      : {}),
  }));
}

function firstOf({ replyTo, edits, live }: Draft): JsonObject {
  return {
    ...(replyTo === undefined ? {} : { reply_to: replyTo }),
    ...(edits === undefined ? {} : { edits }),
    ...(live === undefined ? {} : { live }),
  };
}
