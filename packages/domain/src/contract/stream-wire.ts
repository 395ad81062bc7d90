import { z } from 'zod';
import { askResultSchema, runStatusSchema } from './run-wire.ts';

/**
 * Server-sent events of one run (`GET /v1/runs/:id/events`, `GET /admin/v1/run/:id/event`). The SSE `event` field is `type`, `data` is
 * the JSON of the whole object. `step` and `state` carry an SSE `id` (a number that grows by one) and are sent again after
 * `Last-Event-ID`; `text` is never journalled and carries none. `end` comes once, last, then the server closes.
 */
export const runEventSchema = z.discriminatedUnion('type', [
  z.strictObject({ type: z.literal('state'), run_id: z.string(), status: runStatusSchema }),
  z.strictObject({
    type: z.literal('step'),
    run_id: z.string(),
    /** From 1. */
    step: z.int().min(1),
    kind: z.enum(['llm', 'tool']),
    /** Tool name, or the route of the model. */
    name: z.string().optional(),
    outcome: z.enum(['done', 'failed', 'proposed', 'denied']).optional(),
  }),
  z.strictObject({
    type: z.literal('text'),
    run_id: z.string(),
    /**
     * The answer so far is what the receiver has up to this character, then `text`. Usually its present length; smaller when the
     * filter of shown text had to change words that were already out; 0 starts over.
     */
    offset: z.int().min(0),
    text: z.string(),
  }),
  z.strictObject({
    type: z.literal('end'),
    run: askResultSchema,
  }),
]);
export type RunEventWire = z.infer<typeof runEventSchema>;

/** The answer after one more `text` event. */
export function applyTextEvent(
  answer: string,
  event: { readonly offset: number; readonly text: string },
): string {
  return answer.slice(0, event.offset) + event.text;
}

/** The smallest `text` event that turns one filtered answer into the next; undefined when nothing changed. */
export function textEventBetween(
  before: string,
  after: string,
): { readonly offset: number; readonly text: string } | undefined {
  if (before === after) return undefined;
  let offset = 0;
  const shorter = Math.min(before.length, after.length);
  while (offset < shorter && before.charCodeAt(offset) === after.charCodeAt(offset)) offset += 1;
  // A pair of surrogates is never cut in two.
  if (offset > 0 && /[\uD800-\uDBFF]/.test(after.charAt(offset - 1))) offset -= 1;
  return { offset, text: after.slice(offset) };
}

/** One frame of `GET /admin/v1/event`: a fact for people who watch. SSE `event` is `topic`. */
export const liveEventSchema = z.strictObject({
  topic: z.string(),
  kind: z.string(),
  seq: z.int().optional(),
  data: z.record(z.string(), z.json()),
});
export type LiveEventWire = z.infer<typeof liveEventSchema>;
