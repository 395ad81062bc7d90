import { z } from 'zod';
import { doneSchema, limitInput, listOf, nothing } from './admin-parts.ts';
import type { AdminRoute } from './admin-route.ts';
import { digestSchema, instantSchema } from './parts.ts';

/** What a client must know before it can sign. */
export const helloSchema = z.strictObject({
  /** Stays the same for the life of a data folder; names the client's key file. */
  instance_id: z.string(),
  version: z.string(),
  boot_id: z.string(),
  server_time: instantSchema,
});
export type Hello = z.infer<typeof helloSchema>;

export const panicStateSchema = z.strictObject({
  on: z.boolean(),
  by: z.string().optional(),
  at: instantSchema.optional(),
});
export const gateStateSchema = z.strictObject({
  closed: z.boolean(),
  reason: z.string().optional(),
  at: instantSchema.optional(),
});

export const statusSchema = z.strictObject({
  version: z.string(),
  instance_id: z.string(),
  ready: z.boolean(),
  reasons: z.array(z.string()),
  up_since: instantSchema,
  panic: panicStateSchema,
  gate: gateStateSchema,
  /** Counts over the workspaces that the asker may see. */
  runs: z.strictObject({ queued: z.int(), running: z.int(), failed_today: z.int() }),
  approvals_pending: z.int(),
  effects_uncertain: z.int(),
  tokens_today: z.int(),
  /** Of the tokens that have a price, millionths of a US dollar; absent where no model has one. */
  cost_today_usd_micros: z.int().min(0).optional(),
  /** The same by model, most tokens first; what was spent with a model that is configured no more is there too. */
  spent_today: z.array(
    z.strictObject({
      model: z.string(),
      tokens: z.int().min(0),
      /** Absent for a model without a price. */
      cost_usd_micros: z.int().min(0).optional(),
    }),
  ),
  audit_head: z.string(),
  /** Chats that the runtime is connected to, for those with a role on everything. */
  connectors: z
    .array(
      z.strictObject({
        name: z.string(),
        account: z.string(),
        /** Messages that are to leave and have not yet. */
        waiting: z.int(),
        /** The last try of one of them met an outside that was down. */
        is_failing: z.boolean(),
      }),
    )
    .optional(),
  /** What somebody should look at soon: certificates that end. */
  notices: z.array(z.string()).optional(),
  models: z.array(z.string()),
});
export type Status = z.infer<typeof statusSchema>;

export const auditRowSchema = z.strictObject({
  seq: z.int(),
  at: instantSchema,
  action: z.string(),
  actor: z.string(),
  subject: z.string(),
  workspace: z.string().optional(),
  context: z.string().optional(),
  data: z.record(z.string(), z.json()),
  hash: digestSchema,
});
export type AuditRow = z.infer<typeof auditRowSchema>;

/** One decision or deed about an id, with its reasons in words. */
export const explanationSchema = z.strictObject({
  id: z.string(),
  /** Oldest first. */
  events: z.array(
    z.strictObject({
      seq: z.int(),
      at: instantSchema,
      action: z.string(),
      actor: z.string(),
      decision: z.string().optional(),
      reasons: z.array(z.string()),
    }),
  ),
});
export type Explanation = z.infer<typeof explanationSchema>;

export const secretRowSchema = z.strictObject({
  name: z.string(),
  source: z.enum(['environment', 'vault']),
  updated_at: instantSchema.optional(),
});
export type SecretRow = z.infer<typeof secretRowSchema>;

export const auditVerdictSchema = z.strictObject({
  ok: z.boolean(),
  count: z.int(),
  head: z.string(),
  problems: z.array(z.strictObject({ kind: z.string(), seq: z.int(), text: z.string() })),
  /** Of people: how many are good, and how many the log holds no public key for. */
  signatures: z.strictObject({ good: z.int(), unchecked: z.int() }),
});
export type AuditVerdict = z.infer<typeof auditVerdictSchema>;

/** Most links in one answer. */
export const EXTENSION_LINKS = 1_000;

/** How the log grew since a head that the asker kept. */
export const auditExtensionSchema = z.strictObject({
  /** Key that signs the heads, PEM; a client keeps the first one it sees. */
  public_key: z.string().max(1_000),
  /** The newest head, signed. */
  checkpoint: z.strictObject({
    seq: z.int().min(0),
    hash: digestSchema,
    at: z.int(),
    key_id: z.string().max(80),
    signature: z.string().max(200),
  }),
  /** Digests of the records after the asker's, oldest first; the next page begins where this one ends. */
  links: z.array(digestSchema).max(EXTENSION_LINKS),
});
export type AuditExtension = z.infer<typeof auditExtensionSchema>;

export const modelRowSchema = z.strictObject({
  name: z.string(),
  provider: z.string(),
  model: z.string(),
  task_kinds: z.array(z.string()),
  context_tokens: z.int(),
});
export type ModelRow = z.infer<typeof modelRowSchema>;

const secretName = z.string().regex(/^[A-Z][A-Z0-9_]{1,63}$/, 'use capitals, digits and _, e.g. LLM_API_KEY');

/** The appliance itself. */
export const HOUSE_ROUTES = {
  'hello.read': {
    method: 'GET',
    path: '/hello',
    summary: 'Boot id and time, needed to sign.',
    input: nothing,
    reply: helloSchema,
    unsigned: true,
    isGreeting: true,
  },
  'status.read': {
    method: 'GET',
    path: '/status',
    summary: 'How it is.',
    input: nothing,
    reply: statusSchema,
    unsigned: true,
  },
  'explain.id': {
    method: 'GET',
    path: '/explain/:id',
    summary: 'Why something was allowed, asked or denied.',
    input: z.strictObject({ id: z.string().trim().min(1).max(120) }),
    reply: explanationSchema,
  },
  'panic.on': {
    method: 'POST',
    path: '/panic/on',
    summary: 'Stop everything now.',
    input: nothing,
    reply: panicStateSchema,
    unsigned: true,
  },
  'panic.off': {
    method: 'POST',
    path: '/panic/off',
    summary: 'Work again; nothing old is sent.',
    input: nothing,
    reply: panicStateSchema,
  },
  'panic.status': {
    method: 'GET',
    path: '/panic',
    summary: 'Is everything stopped?',
    input: nothing,
    reply: panicStateSchema,
    unsigned: true,
  },
  'gate.status': {
    method: 'GET',
    path: '/gate',
    summary: 'Is the gate closed after a restore?',
    input: nothing,
    reply: gateStateSchema,
    unsigned: true,
  },
  'gate.open': {
    method: 'POST',
    path: '/gate/open',
    summary: 'Reviewed: effects may leave again.',
    input: nothing,
    reply: gateStateSchema,
  },
  'secret.list': {
    method: 'GET',
    path: '/secret',
    summary: 'Names of secrets, never values.',
    input: nothing,
    reply: listOf(secretRowSchema),
  },
  'secret.set': {
    method: 'PUT',
    path: '/secret/:name',
    summary: 'Keep a secret in the vault.',
    input: z.strictObject({ name: secretName, value: z.string().min(1).max(16_384) }),
    reply: doneSchema,
  },
  'secret.rm': {
    method: 'DELETE',
    path: '/secret/:name',
    summary: 'Forget a secret.',
    input: z.strictObject({ name: secretName }),
    reply: doneSchema,
  },
  'audit.tail': {
    method: 'GET',
    path: '/audit',
    summary: 'The newest records of the log, newest first.',
    input: z.strictObject({
      limit: limitInput,
      /** Go on below this record: the smallest `seq` of the page before. */
      before_seq: z.coerce.number().int().min(1).optional(),
      subject: z.string().max(120).optional(),
      action: z.string().max(80).optional(),
    }),
    reply: listOf(auditRowSchema),
  },
  'audit.verify': {
    method: 'POST',
    path: '/audit/verify',
    summary: 'Check every link and every signed head.',
    input: nothing,
    reply: auditVerdictSchema,
  },
  'audit.extension': {
    method: 'GET',
    path: '/audit/extension',
    summary: 'Proof that the log is an extension of the head that one knows.',
    input: z.strictObject({
      /** Number of the last record that the asker knows; without it, only the newest head. */
      after: z.coerce.number().int().min(0).optional(),
    }),
    reply: auditExtensionSchema,
  },
  'model.list': {
    method: 'GET',
    path: '/model',
    summary: 'Models that can be used.',
    input: nothing,
    reply: listOf(modelRowSchema),
  },
} as const satisfies Record<string, AdminRoute>;
