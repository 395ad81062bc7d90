import { z } from 'zod';
import { idInput, listOf, nothing, slugInput } from './admin-parts.ts';
import type { AdminRoute } from './admin-route.ts';
import { instantSchema } from './parts.ts';

/** The admin hub of a connector, or the wish of a place to be it. */
export const hubRowSchema = z.strictObject({
  id: z.string(),
  state: z.enum(['asked', 'active']),
  connector: z.string(),
  account: z.string(),
  channel: z.string(),
  context: z.string(),
  workspace: z.string(),
  asked_by: z.string(),
  asked_at: instantSchema,
  /** While it is asked. */
  expires_at: instantSchema.optional(),
  /** Whose texts are shown there, as far as the asker may know of them. */
  cleared_for: z.array(z.string()),
  /** How many more it is cleared for. */
  cleared_more: z.int(),
  approved_by: z.string().optional(),
  approved_at: instantSchema.optional(),
});
export type HubRow = z.infer<typeof hubRowSchema>;

/** Where staff are told of open questions, one place per connector. */
export const HUB_ROUTES = {
  'hub.list': {
    method: 'GET',
    path: '/hub',
    summary: 'The admin hub of each connector, and places that ask to be it.',
    input: nothing,
    reply: listOf(hubRowSchema),
  },
  'hub.approve': {
    method: 'POST',
    path: '/hub/:id/approve',
    summary:
      'Make this place the admin hub of its connector, cleared for these workspaces; another one ends.',
    input: z.strictObject({ id: idInput, workspaces: z.array(slugInput).min(1).max(100) }),
    reply: hubRowSchema.extend({ moved_from: z.string().optional() }),
  },
  'hub.rm': {
    method: 'DELETE',
    path: '/hub/:id',
    summary: 'End the admin hub of a connector, or send a request away.',
    input: z.strictObject({ id: z.string().trim().min(1).max(80) }),
    reply: hubRowSchema,
  },
} as const satisfies Record<string, AdminRoute>;
