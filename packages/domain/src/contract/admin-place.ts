import { z } from 'zod';
import { doneSchema, idInput, limitInput, listOf, nothing, slugInput, titleInput } from './admin-parts.ts';
import type { AdminRoute } from './admin-route.ts';
import { digestSchema, instantSchema } from './parts.ts';

const CONTEXT_KINDS = ['channel', 'thread', 'group', 'direct', 'mailbox', 'http', 'cli', 'hub'] as const;
const names = z.array(z.string().trim().min(1).max(80)).max(100);
/** Names one version of a thing; an edit that says `if_match` is refused when the thing is another by then. */
export const etagSchema = z.string().regex(/^[0-9a-f]{16}$/, 'give the etag that was shown');
const whole = z.int().min(0).max(1_000_000_000);

/** What a context may say for itself; absent members are left as they are, null goes back to what is inherited. */
export const contextPatchSchema = z.strictObject({
  title: titleInput.nullable().optional(),
  guests: z.enum(['off', 'ask']).nullable().optional(),
  tools: names.nullable().optional(),
  models: names.nullable().optional(),
  temperature: z.number().min(0).max(2).nullable().optional(),
  max_output_tokens: whole.min(1).nullable().optional(),
  max_queued: whole.nullable().optional(),
  run_deadline_ms: whole.min(1_000).nullable().optional(),
  tokens_per_day: whole.nullable().optional(),
  tokens_per_sender_per_day: whole.nullable().optional(),
  output: z.enum(['all', 'answers']).nullable().optional(),
  acknowledge: z.enum(['off', 'tasks', 'confirm']).nullable().optional(),
  messages_per_minute: whole.min(1).nullable().optional(),
  max_prompt_chars: whole.min(1).nullable().optional(),
});
export type ContextPatch = z.infer<typeof contextPatchSchema>;

export const contextRowSchema = z.strictObject({
  id: z.string(),
  workspace: z.string(),
  title: z.string(),
  kind: z.enum(CONTEXT_KINDS),
  openness: z.enum(['open', 'closed']),
  connector: z.string(),
  account: z.string(),
  channel: z.string(),
});
export type ContextRow = z.infer<typeof contextRowSchema>;

/** With every inherited setting filled in. */
export const contextDetailSchema = contextRowSchema.extend({
  owner: z.string(),
  direct_with: z.string().optional(),
  guests: z.enum(['off', 'ask']),
  tools: z.array(z.string()),
  models: z.array(z.string()),
  temperature: z.number().optional(),
  max_output_tokens: z.int().optional(),
  max_queued: z.int(),
  run_deadline_ms: z.int(),
  tokens_per_day: z.int().optional(),
  tokens_per_sender_per_day: z.int().optional(),
  output: z.enum(['all', 'answers']),
  acknowledge: z.enum(['off', 'tasks', 'confirm']),
  messages_per_minute: z.int(),
  max_prompt_chars: z.int().optional(),
  created_at: instantSchema,
  etag: etagSchema,
});
export type ContextDetail = z.infer<typeof contextDetailSchema>;

/** A place that was seen and is bound to nothing. */
export const seenRowSchema = z.strictObject({
  connector: z.string(),
  account: z.string(),
  channel: z.string(),
  kind: z.enum(CONTEXT_KINDS),
  /** As the platform has it, in one line; never trusted. */
  title: z.string(),
  /** Platform id of the guild or group that it lies in. */
  group: z.string().optional(),
  first_seen_at: instantSchema,
  last_seen_at: instantSchema,
  /** The appliance's account was removed from it. */
  is_gone: z.boolean(),
});
export type SeenRow = z.infer<typeof seenRowSchema>;

/** A guild or group whose places a workspace takes by itself. */
export const bindingSchema = z.strictObject({
  connector: z.string().min(1).max(40),
  account: z.string().min(1).max(120),
  group: z.string().min(1).max(200),
});
const bindings = z.array(bindingSchema).max(50);

export const workspaceRowSchema = z.strictObject({
  id: z.string(),
  title: z.string(),
  kind: z.enum(['community', 'private']),
  owner: z.string(),
  role: z.string().optional(),
});
export type WorkspaceRow = z.infer<typeof workspaceRowSchema>;

export const workspaceDetailSchema = workspaceRowSchema.extend({
  outside_edits: z.enum(['staff', 'review']),
  concurrency: z.int(),
  approvers_for_high: z.int(),
  time_zone: z.string(),
  tools: z.array(z.string()),
  models: z.array(z.string()),
  bindings: z.array(bindingSchema),
  contexts: z.array(z.string()),
  created_at: instantSchema,
  etag: etagSchema,
});
export type WorkspaceDetail = z.infer<typeof workspaceDetailSchema>;

export const workspacePatchSchema = contextPatchSchema.extend({
  title: titleInput.optional(),
  outside_edits: z.enum(['staff', 'review']).optional(),
  concurrency: z.int().min(1).max(100).optional(),
  approvers_for_high: z.int().min(1).max(10).optional(),
  time_zone: z.string().min(1).max(60).optional(),
  /** Groups to take from now on, and groups to take no more. */
  bind: bindings.optional(),
  unbind: bindings.optional(),
});
export type WorkspacePatch = z.infer<typeof workspacePatchSchema>;

/** A path inside a workspace; the file guards look at it again. */
export const pathInput = z.string().min(1).max(300);

export const labelRowSchema = z.strictObject({
  path: z.string(),
  hash: digestSchema,
  integrity: z.int().min(0).max(3),
  audience: z.array(z.string()),
  words: z.string(),
});
export type LabelRow = z.infer<typeof labelRowSchema>;

export const memoryRowSchema = z.strictObject({
  id: z.string(),
  path: z.string(),
  by: z.string(),
  run: z.string().optional(),
  at: instantSchema,
  added: z.int(),
  removed: z.int(),
  undone_at: instantSchema.optional(),
});
export type MemoryRow = z.infer<typeof memoryRowSchema>;

export const searchHitSchema = z.strictObject({
  path: z.string(),
  line: z.int().min(1),
  snippet: z.string(),
  score: z.number(),
});

const place = { workspace: slugInput.optional() };
const file = z.strictObject({ workspace: slugInput.optional(), path: pathInput });

/** Workspaces, contexts and what lies in them. */
export const PLACE_ROUTES = {
  'workspace.list': {
    method: 'GET',
    path: '/workspace',
    summary: 'Workspaces you have a role in.',
    input: nothing,
    reply: listOf(workspaceRowSchema),
  },
  'workspace.show': {
    method: 'GET',
    path: '/workspace/:id',
    summary: 'A workspace and its settings.',
    input: z.strictObject({ id: slugInput }),
    reply: workspaceDetailSchema,
  },
  'workspace.create': {
    method: 'POST',
    path: '/workspace',
    summary: 'A new workspace.',
    input: z.strictObject({
      id: slugInput,
      title: titleInput.optional(),
      kind: z.enum(['community', 'private']).default('community'),
    }),
    reply: workspaceDetailSchema,
  },
  'workspace.set': {
    method: 'PUT',
    path: '/workspace/:id',
    summary: 'Change settings of a workspace.',
    input: workspacePatchSchema.extend({ id: slugInput, if_match: etagSchema.optional() }),
    reply: workspaceDetailSchema,
  },
  'context.list': {
    method: 'GET',
    path: '/context',
    summary: 'Contexts, and for operators of everything the places that are bound to nothing.',
    input: z.strictObject(place),
    reply: listOf(contextRowSchema).extend({ unbound: z.array(seenRowSchema) }),
  },
  'context.show': {
    method: 'GET',
    path: '/context/:id',
    summary: 'A context with what it inherits.',
    input: z.strictObject({ id: slugInput }),
    reply: contextDetailSchema,
  },
  'context.set': {
    method: 'PUT',
    path: '/context/:id',
    summary: 'Change settings of a context.',
    input: contextPatchSchema.extend({
      id: slugInput,
      openness: z.enum(['open', 'closed']).optional(),
      if_match: etagSchema.optional(),
    }),
    reply: contextDetailSchema,
  },
  'context.bind': {
    method: 'POST',
    path: '/context',
    summary: 'Bind a channel to a workspace.',
    input: z.strictObject({
      workspace: slugInput,
      connector: z.string().min(1).max(40),
      account: z.string().min(1).max(120),
      channel: z.string().min(1).max(200),
      id: slugInput.optional(),
      kind: z.enum(['channel', 'thread', 'group']).default('channel'),
      title: titleInput.optional(),
      openness: z.enum(['open', 'closed']).default('open'),
    }),
    reply: contextDetailSchema,
  },
  'label.list': {
    method: 'GET',
    path: '/label',
    summary: 'Labels of files.',
    input: z.strictObject({ ...place, prefix: z.string().max(300).optional(), limit: limitInput }),
    reply: listOf(labelRowSchema),
  },
  'label.approve': {
    method: 'POST',
    path: '/label/approve',
    summary: 'These exact bytes count as owned by staff.',
    input: file.extend({ hash: digestSchema.optional() }),
    reply: labelRowSchema,
  },
  'label.publish': {
    method: 'POST',
    path: '/label/publish',
    summary: 'These exact bytes may be read by strangers.',
    input: file.extend({ hash: digestSchema.optional() }),
    reply: labelRowSchema,
  },
  'memory.list': {
    method: 'GET',
    path: '/memory',
    summary: 'Changes of memory, newest first.',
    input: z.strictObject({ ...place, limit: limitInput }),
    reply: listOf(memoryRowSchema),
  },
  'memory.undo': {
    method: 'POST',
    path: '/memory/:id/undo',
    summary: 'Take one change back.',
    input: z.strictObject({ id: idInput }),
    reply: doneSchema,
  },
  'search.query': {
    method: 'GET',
    path: '/search',
    summary: 'Search the Markdown of a workspace.',
    input: z.strictObject({
      ...place,
      q: z.string().trim().min(1).max(500),
      in: z.enum(['mail', 'logs', 'tasks']).optional(),
      limit: limitInput,
    }),
    reply: z.strictObject({ level: z.string(), items: z.array(searchHitSchema) }),
  },
  'file.open': {
    method: 'GET',
    path: '/file',
    summary: 'Lines of a file.',
    input: file.extend({
      from: z.coerce.number().int().min(1).optional(),
      to: z.coerce.number().int().min(1).optional(),
    }),
    reply: z.strictObject({
      path: z.string(),
      label: z.string(),
      from: z.int(),
      total_lines: z.int(),
      lines: z.array(z.string()),
    }),
  },
} as const satisfies Record<string, AdminRoute>;
