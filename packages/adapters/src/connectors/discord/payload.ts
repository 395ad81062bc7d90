import type { JsonObject } from '@agent-runtime/domain';
import { z } from 'zod';

/**
 * What render hands to deliver. `body` is what people get to see and leaves as it is. How a repeat is told from a new message (the nonce)
 * is added on the way, like an idempotency key in a header: it says nothing, and belongs to the delivery.
 */
export type DiscordPayload = z.infer<typeof payloadSchema>;

const body = z.record(z.string(), z.json());
const file = z.object({ name: z.string(), content: z.string() });
const common = { channel: z.string(), body, file: file.optional(), live: z.string().optional() };

const payloadSchema = z.discriminatedUnion('method', [
  /** A new message, or the end of a live one. */
  z.object({ method: z.literal('message.create'), ...common }),
  /** In place of a message of ours. */
  z.object({ method: z.literal('message.edit'), ...common, message: z.string() }),
  /** The answer to a native command; later parts follow it. */
  z.object({
    method: z.enum(['answer.edit', 'answer.follow']),
    ...common,
    interaction: z.string(),
    isPrivate: z.boolean(),
  }),
]);

/** @returns undefined for what this connector never rendered */
export function readPayload(payload: JsonObject): DiscordPayload | undefined {
  return payloadSchema.safeParse(payload).data;
}

/** Fields of a new message that an edit does not know: what it answers stays as it was. */
export function editBody(whole: DiscordPayload['body']): DiscordPayload['body'] {
  const { message_reference: _, ...rest } = whole;
  return rest;
}
