import { z } from 'zod';
import { APPROVAL_STATES, TIERS } from '../approval/index.ts';
import { EFFECT_CLASSES, EFFECT_STATES } from '../effect/index.ts';
import { RUN_STATES, TASK_KINDS } from '../task/index.ts';
import {
  beforeInput,
  byId,
  doneSchema,
  idInput,
  inboxLimitInput,
  limitInput,
  listOf,
  slugInput,
} from './admin-parts.ts';
import type { AdminRoute } from './admin-route.ts';
import { publicErrorSchema } from './error-wire.ts';
import { digestSchema, instantSchema, jsonObjectSchema, MAX_TEXT_CHARS } from './parts.ts';
import { askResultSchema } from './run-wire.ts';

/** One line of `task list`. */
export const taskRowSchema = z.strictObject({
  id: z.string(),
  kind: z.enum(TASK_KINDS),
  status: z.enum(RUN_STATES),
  title: z.string(),
  workspace: z.string(),
  context: z.string(),
  requester: z.string(),
  /** The task from which it came, where the asker may look at that one. */
  parent: z.string().optional(),
  created_at: instantSchema,
});
export type TaskRow = z.infer<typeof taskRowSchema>;

export const runRowSchema = z.strictObject({
  id: z.string(),
  status: z.enum(RUN_STATES),
  attempt: z.int(),
  created_at: instantSchema,
  finished_at: instantSchema.optional(),
  pending_approvals: z.array(z.string()),
  error: publicErrorSchema.optional(),
});

export const taskDetailSchema = taskRowSchema.extend({
  door: z.string(),
  conversation: z.string(),
  parent_title: z.string().optional(),
  /** Tasks that came from this one, as far as the asker may look at them, newest first. */
  children: z.array(z.strictObject({ id: z.string(), status: z.enum(RUN_STATES), title: z.string() })),
  /** Newest first. */
  runs: z.array(runRowSchema),
  effects: z.array(
    z.strictObject({ id: z.string(), kind: z.string(), state: z.enum(EFFECT_STATES), summary: z.string() }),
  ),
});
export type TaskDetail = z.infer<typeof taskDetailSchema>;

export const effectRowSchema = z.strictObject({
  id: z.string(),
  kind: z.string(),
  class: z.enum(EFFECT_CLASSES),
  state: z.enum(EFFECT_STATES),
  summary: z.string(),
  workspace: z.string(),
  context: z.string(),
  approval: z.string().optional(),
  created_at: instantSchema,
});
export type EffectRow = z.infer<typeof effectRowSchema>;

/** What leaves, byte for byte. `visible` is the canonical JSON with every hidden character spelt out as `⟨U+XXXX⟩`. */
export const effectBytesSchema = z.strictObject({
  sink: z.strictObject({ connector: z.string(), account: z.string(), address: z.string() }),
  recipients: z.array(z.string()),
  payloads: z.array(jsonObjectSchema),
  visible: z.string(),
  has_hidden: z.boolean(),
});
export type EffectBytesWire = z.infer<typeof effectBytesSchema>;

export const effectDetailSchema = effectRowSchema.extend({
  digest: digestSchema,
  /** False when the stored bytes are not the ones that were digested; then it is never sent. */
  is_intact: z.boolean(),
  label: z.string(),
  /** Absent when they belong to people of whom the asker is not one. */
  bytes: effectBytesSchema.optional(),
  withheld: z.string().optional(),
  attempts: z.int(),
  receipts: z.array(jsonObjectSchema),
  error: publicErrorSchema
    .or(z.strictObject({ code: z.string(), kind: z.string(), message: z.string() }))
    .optional(),
  settled_at: instantSchema.optional(),
});
export type EffectDetail = z.infer<typeof effectDetailSchema>;

export const approvalRowSchema = z.strictObject({
  id: z.string(),
  effect: z.string(),
  kind: z.string(),
  tier: z.enum(TIERS),
  state: z.enum(APPROVAL_STATES),
  summary: z.string(),
  workspace: z.string(),
  context: z.string(),
  requester: z.string(),
  created_at: instantSchema,
  expires_at: instantSchema,
});
export type ApprovalRow = z.infer<typeof approvalRowSchema>;

export const approvalDetailSchema = approvalRowSchema.extend({
  digest: digestSchema,
  is_intact: z.boolean(),
  label: z.string(),
  bytes: effectBytesSchema.optional(),
  withheld: z.string().optional(),
  /** What a write changes in its file, hidden characters spelt out; absent for other effects and for words that are not for the asker. */
  diff: z
    .strictObject({ added: z.int(), removed: z.int(), text: z.string(), is_cut: z.boolean() })
    .optional(),
  /** Why there is no diff of a write. */
  diff_note: z.string().optional(),
  approver_role: z.string(),
  needed: z.int(),
  /** Why a person is asked, in words. */
  reasons: z.array(z.string()),
  votes: z.array(
    z.strictObject({ person: z.string(), decision: z.string(), via: z.string(), at: instantSchema }),
  ),
  missing_releases: z.array(z.string()),
  /** The point of the log at which this was shown; goes into the signed statement. */
  audit_head: z.string(),
  /** Epoch ms, as signed. */
  expiry: z.int(),
});
export type ApprovalDetail = z.infer<typeof approvalDetailSchema>;

/** An answer with the approver's signature over the canonical JSON of the statement. */
export const voteSchema = z.strictObject({
  id: idInput,
  digest: digestSchema,
  audit_head: z.string().max(200),
  key_id: z.string().max(80),
  /** base64 */
  signature: z.base64().max(2_000),
  reason: z.string().max(500).optional(),
});

export const standingRowSchema = z.strictObject({
  id: z.string(),
  workspace: z.string(),
  effect_kind: z.string(),
  connector: z.string(),
  account: z.string(),
  template: z.string().optional(),
  recipients: z.array(z.string()),
  per_day: z.int(),
  max_uses: z.int(),
  uses: z.int(),
  granted_by: z.string(),
  ends_at: instantSchema,
  revoked_at: instantSchema.optional(),
});
export type StandingRow = z.infer<typeof standingRowSchema>;

/** Tasks, runs, effects, approvals: what work is and what waits. */
export const WORK_ROUTES = {
  'ask.post': {
    method: 'POST',
    path: '/ask',
    summary: 'Put a message of the signed person into a context; a run answers it.',
    input: z.strictObject({
      text: z.string().trim().min(1).max(MAX_TEXT_CHARS),
      workspace: slugInput.optional(),
      context: slugInput.optional(),
      conversation: z.string().min(1).max(200).optional(),
      kind: z.enum(TASK_KINDS).optional(),
      idempotency_key: z.string().min(8).max(200),
    }),
    reply: z.strictObject({
      run_id: z.string(),
      task_id: z.string(),
      context: z.string(),
      /** The workspace, when none was named and it was taken from among several. */
      taken: z.string().optional(),
    }),
  },
  'run.show': {
    method: 'GET',
    path: '/run/:id',
    summary: 'A run and its answer.',
    input: byId,
    reply: askResultSchema,
  },
  'task.list': {
    method: 'GET',
    path: '/task',
    summary: 'Tasks, newest first.',
    input: z.strictObject({
      workspace: slugInput.optional(),
      status: z.enum(RUN_STATES).optional(),
      before: beforeInput,
      limit: limitInput,
    }),
    reply: listOf(taskRowSchema),
  },
  'task.show': {
    method: 'GET',
    path: '/task/:id',
    summary: 'A task with its runs and effects.',
    input: byId,
    reply: taskDetailSchema,
  },
  'task.abort': {
    method: 'POST',
    path: '/task/:id/abort',
    summary: 'Stop its run.',
    input: byId,
    reply: askResultSchema,
  },
  'task.retry': {
    method: 'POST',
    path: '/task/:id/retry',
    summary: 'Try it again.',
    input: byId,
    reply: askResultSchema,
  },
  'task.steer': {
    method: 'POST',
    path: '/task/:id/steer',
    summary: 'Say something to your own running task.',
    input: z.strictObject({ id: idInput, text: z.string().trim().min(1).max(MAX_TEXT_CHARS) }),
    reply: doneSchema,
  },
  'effect.list': {
    method: 'GET',
    path: '/effect',
    summary: 'Effects, newest first.',
    input: z.strictObject({
      workspace: slugInput.optional(),
      state: z.enum(EFFECT_STATES).optional(),
      before: beforeInput,
      limit: limitInput,
    }),
    reply: listOf(effectRowSchema),
  },
  'effect.show': {
    method: 'GET',
    path: '/effect/:id',
    summary: 'Exact bytes and fate of an effect.',
    input: byId,
    reply: effectDetailSchema,
  },
  'effect.resolve': {
    method: 'POST',
    path: '/effect/:id/resolve',
    summary: 'Say what became of an uncertain effect.',
    input: z.strictObject({ id: idInput, outcome: z.enum(['sent', 'not-sent']) }),
    reply: doneSchema,
  },
  'approval.list': {
    method: 'GET',
    path: '/approval',
    summary: 'Open questions; with a state, those; with `all`, every one.',
    input: z.strictObject({
      workspace: slugInput.optional(),
      state: z.enum([...APPROVAL_STATES, 'all']).optional(),
      before: beforeInput,
      limit: inboxLimitInput,
    }),
    reply: listOf(approvalRowSchema),
  },
  'approval.show': {
    method: 'GET',
    path: '/approval/:id',
    summary: 'What would leave, to whom, and why you are asked.',
    input: byId,
    reply: approvalDetailSchema,
  },
  'approval.grant': {
    method: 'POST',
    path: '/approval/:id/grant',
    summary: 'Approve exactly this digest.',
    input: voteSchema,
    reply: approvalDetailSchema,
  },
  'approval.deny': {
    method: 'POST',
    path: '/approval/:id/deny',
    summary: 'Say no.',
    input: voteSchema,
    reply: approvalDetailSchema,
  },
  'approval.release': {
    method: 'POST',
    path: '/approval/:id/release',
    summary: 'Release your own private text in it.',
    input: voteSchema,
    reply: approvalDetailSchema,
  },
  'approval.withdraw': {
    method: 'POST',
    path: '/approval/:id/withdraw',
    summary: 'Take your own request back.',
    input: byId,
    reply: approvalDetailSchema,
  },
  'approval.edit': {
    method: 'POST',
    path: '/approval/:id/edit',
    summary: 'Other words: a new effect, a new digest, a new question.',
    input: z.strictObject({ id: idInput, text: z.string().min(1).max(MAX_TEXT_CHARS) }),
    reply: approvalDetailSchema,
  },
  'standing.list': {
    method: 'GET',
    path: '/standing',
    summary: 'Standing approvals.',
    input: z.strictObject({ workspace: slugInput.optional() }),
    reply: listOf(standingRowSchema),
  },
  'standing.add': {
    method: 'POST',
    path: '/standing',
    summary: 'Approve forever, within limits.',
    input: z.strictObject({
      workspace: slugInput,
      effect_kind: z.string().min(1).max(80),
      connector: z.string().min(1).max(80),
      account: z.string().min(1).max(120),
      template: z.string().min(1).max(4_000).optional(),
      recipients: z.array(z.string().min(1).max(300)).min(1).max(50),
      per_day: z.int().min(1).max(1_000),
      max_uses: z.int().min(1).max(100_000),
      ends_at: instantSchema,
    }),
    reply: standingRowSchema,
  },
  'standing.revoke': {
    method: 'DELETE',
    path: '/standing/:id',
    summary: 'End a standing approval.',
    input: byId,
    reply: standingRowSchema,
  },
} as const satisfies Record<string, AdminRoute>;
