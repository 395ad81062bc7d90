import type {
  ApprovalDetail,
  AuditRow,
  ContextDetail,
  HubRow,
  Status,
  TaskDetail,
  UserDetail,
  WorkspaceDetail,
} from '@agent-runtime/domain';
import type { PendingPairing } from '../client/pairing.ts';

/** The instant at which every fake begins. */
export const START_MS = Date.UTC(2026, 10, 30, 12, 0, 0);
export const DIGEST = `sha256:${'a1b2'.repeat(16)}` as const;

/** ISO instant, minutes before the start. */
export function ago(minutes: number): string {
  return new Date(START_MS - minutes * 60_000).toISOString();
}

/** A digest that differs by number. */
export function digestOf(n: number): `sha256:${string}` {
  return `sha256:${n.toString(16).padStart(64, '0')}`;
}

export function statusFixture(change: Partial<Status> = {}): Status {
  return {
    version: '0.1.0',
    instance_id: 'inst_01hx',
    ready: true,
    reasons: [],
    up_since: ago(3 * 60 + 12),
    panic: { on: false },
    gate: { closed: false },
    runs: { queued: 1, running: 2, failed_today: 1 },
    approvals_pending: 0,
    effects_uncertain: 0,
    tokens_today: 48_213,
    spent_today: [{ model: 'glm-main', tokens: 48_213 }],
    audit_head: `412:${DIGEST}`,
    models: ['glm-main', 'glm-small'],
    ...change,
  };
}

/** A pending question; `n` makes id, digest and age. */
export function approvalFixture(n: number, change: Partial<ApprovalDetail> = {}): ApprovalDetail {
  const text = 'Dear members,\nthe garden opens on Saturday at 10:00.\nSee you there!';
  return {
    id: `appr_${String(n).padStart(4, '0')}`,
    effect: `efct_${String(n).padStart(4, '0')}`,
    kind: 'message.post',
    tier: 'medium',
    state: 'pending',
    summary: `post to #news (${text.length} characters)`,
    workspace: 'community',
    context: 'news',
    requester: 'ada',
    created_at: ago(10 + n),
    expires_at: ago(-24 * 60),
    digest: digestOf(n),
    is_intact: true,
    label: 'contains external text from mail 2026-11-29-garden',
    bytes: {
      sink: { connector: 'telegram', account: 'bot', address: '-100123' },
      recipients: ['everyone in #news'],
      payloads: [{ chat_id: -100123, text }],
      visible: JSON.stringify({ text }),
      has_hidden: false,
    },
    approver_role: 'operator',
    needed: 1,
    reasons: ['a message to an open channel is asked for', 'the text comes from outside'],
    votes: [],
    missing_releases: [],
    audit_head: `412:${DIGEST}`,
    expiry: START_MS + 24 * 3_600_000,
    ...change,
  };
}

export function taskFixture(n: number, change: Partial<TaskDetail> = {}): TaskDetail {
  return {
    id: `task_${String(n).padStart(4, '0')}`,
    kind: 'chat',
    status: 'succeeded',
    title: `How do I get refund number ${n}?`,
    workspace: 'community',
    context: 'news',
    requester: 'ada',
    created_at: ago(5 * n),
    door: 'telegram',
    conversation: 'conv_1',
    children: [],
    runs: [
      { id: `run_${n}`, status: 'succeeded', attempt: 1, created_at: ago(5 * n), pending_approvals: [] },
    ],
    effects: [{ id: `efct_${n}`, kind: 'reply', state: 'done', summary: 'reply in #news' }],
    ...change,
  };
}

export function contextFixture(change: Partial<ContextDetail> = {}): ContextDetail {
  return {
    id: 'news',
    workspace: 'community',
    title: 'News of the garden',
    kind: 'channel',
    openness: 'open',
    connector: 'telegram',
    account: 'bot',
    channel: '-100123',
    owner: 'ada',
    guests: 'ask',
    tools: ['md_read', 'qmd_search'],
    models: ['glm-main'],
    temperature: 0.2,
    max_queued: 20,
    run_deadline_ms: 120_000,
    tokens_per_day: 500_000,
    output: 'all',
    acknowledge: 'tasks',
    messages_per_minute: 30,
    created_at: ago(60 * 24 * 9),
    etag: '0123456789abcdef',
    ...change,
  };
}

export function workspaceFixture(change: Partial<WorkspaceDetail> = {}): WorkspaceDetail {
  return {
    id: 'community',
    title: 'The Community',
    kind: 'community',
    owner: 'ada',
    role: 'overlord',
    outside_edits: 'review',
    concurrency: 5,
    approvers_for_high: 1,
    time_zone: 'Europe/Berlin',
    tools: ['*'],
    models: ['glm-main', 'glm-small'],
    bindings: [],
    contexts: ['news', 'ops'],
    created_at: ago(60 * 24 * 30),
    etag: '0123456789abcdef',
    ...change,
  };
}

export function userFixture(change: Partial<UserDetail> = {}): UserDetail {
  return {
    id: 'user_01hx',
    name: 'ada',
    display_name: 'Ada Lovelace',
    is_active: true,
    created_at: ago(60 * 24 * 30),
    grants: [
      {
        id: 'grnt_0001',
        principal: 'user:user_01hx',
        name: 'ada',
        role: 'overlord',
        scope: '*',
        granted_by: 'setup',
      },
    ],
    keys: [{ id: 'key_0001', user: 'ada', name: 'cli on desk', created_at: ago(60 * 24 * 30) }],
    identities: [
      {
        id: 'idnt_0001',
        connector: 'telegram',
        external_id: '4711',
        user: 'ada',
        display_name: 'Ada L.',
        created_at: ago(600),
      },
    ],
    tokens: [
      {
        id: 'tokn_0001',
        name: 'website',
        workspace: 'community',
        context: 'web',
        owner: 'ada',
        role: 'member',
        created_at: ago(500),
      },
    ],
    ...change,
  };
}

export function auditFixture(seq: number, change: Partial<AuditRow> = {}): AuditRow {
  return {
    seq,
    at: ago(400 - seq),
    action: 'approval.grant',
    actor: 'user_01hx',
    subject: `appr_${String(seq).padStart(4, '0')}`,
    workspace: 'community',
    data: { digest: DIGEST, reasons: ['operator on ws:community'] },
    hash: digestOf(seq),
    ...change,
  };
}

export function pairingFixture(change: Partial<PendingPairing> = {}): PendingPairing {
  return {
    id: 'pair_0001',
    connector: 'telegram',
    external_id: '815',
    display_name: 'Grace H.',
    created_at: ago(2),
    expires_at: ago(-8),
    ...change,
  };
}

export function hubFixture(change: Partial<HubRow> = {}): HubRow {
  return {
    id: 'ahub_00000001',
    state: 'asked',
    connector: 'telegram',
    account: 'bot',
    channel: '-100777',
    context: 'garden-staff',
    workspace: 'community',
    asked_by: 'olga',
    asked_at: ago(5),
    expires_at: ago(-60),
    cleared_for: [],
    cleared_more: 0,
    ...change,
  };
}
