import { z } from 'zod';
import { jsonObjectSchema, MAX_TEXT_CHARS } from './parts.ts';

/** Keys that callers choose: conversations, their users, their requests. */
const callerKeySchema = z.string().min(1).max(200);

/** Body of `POST /v1/events`. Unknown members are refused, so that a misspelt one is noticed. */
export const postEventSchema = z.strictObject({
  schema_version: z.literal(1),
  type: z.literal('message'),
  /** Messages of one key are answered one after the other. */
  conversation_key: callerKeySchema,
  /** The caller's own name for who speaks; namespaced under the token, it is never anybody here. */
  user_key: callerKeySchema,
  text: z.string().min(1).max(MAX_TEXT_CHARS),
  /** The same key gives the same answer and starts nothing twice. */
  idempotency_key: callerKeySchema.optional(),
  /** The event as the caller's platform sent it. Accepted and not read. */
  raw: jsonObjectSchema.optional(),
});
export type PostEvent = z.infer<typeof postEventSchema>;

/** 202 answer of `POST /v1/events`. */
export const postEventReplySchema = z.strictObject({ run_id: z.string(), task_id: z.string() });
export type PostEventReply = z.infer<typeof postEventReplySchema>;

/** `GET /readyz`: 200 when `ready`, else 503. */
export const readinessSchema = z.strictObject({ ready: z.boolean(), reasons: z.array(z.string()) });
export type Readiness = z.infer<typeof readinessSchema>;
