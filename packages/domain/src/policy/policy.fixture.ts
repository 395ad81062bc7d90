import type { Approval, Vote } from '../approval/index.ts';
import type { UserId } from '../base/index.ts';
import type { Context, EffectiveSettings } from '../context/index.ts';
import { type Effect, effectDigest } from '../effect/index.ts';
import type { Grant, Principal, Role } from '../identity/index.ts';
import { ctxTag, type Label, makeLabel, privTag, wsTag } from '../label/index.ts';
import type { ToolSpec } from '../tool/index.ts';
import { decide } from './decide.ts';
import type { Decision, Obligation } from './decision.ts';
import type { PolicyRequest, PolicyRules } from './request.ts';

/** A small world for tests of the rules. Every value is of the right form; every test changes one thing. */
export const NOW = 1_000_000;
// safe: ids and slugs of the right form
export const BOSS = 'user_boss0000' as UserId;
export const ADMIN = 'user_admin000' as UserId;
export const OPERATOR = 'user_oper0000' as UserId;
export const MEMBER = 'user_memb0000' as UserId;
export const VIEWER = 'user_view0000' as UserId;
export const STRANGER = 'user_none0000' as UserId;
export const PLACE = { workspace: 'garden' as Context['workspace'], context: 'general' as Context['id'] }; // safe: slugs
export const WS = wsTag(PLACE.workspace);
export const CTX = ctxTag(PLACE.workspace, PLACE.context);
export const FOREIGN = wsTag('kitchen' as Context['workspace']); // safe: a slug

export function person(user: UserId): Principal {
  return { kind: 'user', user };
}
export const TOKEN: Principal = {
  kind: 'token',
  token: 'tokn_00000000' as never, // safe: of the right form
  owner: MEMBER,
  workspace: PLACE.workspace,
};
export const SERVICE: Principal = { kind: 'service', context: PLACE.context, owner: ADMIN };
export const GUEST: Principal = { kind: 'guest', connector: 'memory', sender: '7' };

export function grantOf(principal: string, role: Role, more: Partial<Grant> = {}): Grant {
  return {
    id: 'grnt_00000000' as Grant['id'], // safe: of the right form
    principal,
    role,
    scope: { kind: 'workspace', workspace: PLACE.workspace },
    grantedBy: 'appliance',
    createdAt: 0,
    ...more,
  };
}

export const GRANTS: readonly Grant[] = [
  grantOf(BOSS, 'overlord', { scope: { kind: 'all' } }),
  grantOf(ADMIN, 'admin'),
  grantOf(OPERATOR, 'operator'),
  grantOf(MEMBER, 'member'),
  grantOf('tokn_00000000', 'member'),
  grantOf(VIEWER, 'viewer'),
];

export function contextOf(more: Partial<Context> = {}): Context {
  return {
    id: PLACE.context,
    workspace: PLACE.workspace,
    kind: 'channel',
    openness: 'closed',
    connector: 'memory',
    account: 'demo',
    channel: 'general-channel',
    owner: ADMIN,
    settings: {},
    createdAt: 0,
    ...more,
  };
}

export function settingsOf(more: Partial<EffectiveSettings> = {}): EffectiveSettings {
  return {
    title: 'General',
    guests: 'off',
    tools: ['*'],
    models: { allowed: [] },
    queue: { maxQueued: 20, runDeadlineMs: 1, maxSteps: 1, idleRotationMs: 1 },
    budget: {},
    prompts: [],
    concurrency: 5,
    approversForHigh: 1,
    timeZone: 'UTC',
    output: 'all',
    acknowledge: 'tasks',
    messagesPerMinute: 30,
    ...more,
  };
}

export function rulesOf(more: Partial<PolicyRules> = {}): PolicyRules {
  return {
    nowMs: NOW,
    isPanicOn: false,
    isGateClosed: false,
    grants: GRANTS,
    context: contextOf(),
    settings: settingsOf(),
    eligibleApprovers: 5,
    ...more,
  };
}

type ToolRequest = Extract<PolicyRequest, { action: 'tool.call' }>;

export function toolOf(more: Partial<ToolSpec> = {}): ToolSpec {
  return {
    name: 'a_tool',
    description: '',
    class: 'R',
    runs: 'host',
    minRole: 'viewer',
    limits: { timeoutMs: 1, maxResultBytes: 1 },
    input: undefined as never, // safe: policy never parses arguments
    target: () => ({ kind: 'workspace' }),
    ...more,
  };
}

export function callOf(more: Partial<ToolRequest> = {}): ToolRequest {
  return {
    action: 'tool.call',
    principal: person(MEMBER),
    tool: toolOf(),
    target: { kind: 'workspace' },
    label: makeLabel(1, [WS]),
    pendingOfTask: 0,
    wasKindDenied: false,
    ...more,
  };
}

/** A write of a file by a model whose text has this label. */
export function writeOf(
  path: string,
  label: Label = makeLabel(1, [CTX]),
  more: Partial<ToolRequest> = {},
): ToolRequest {
  return callOf({
    tool: toolOf({ class: 'W1', minRole: 'member' }),
    target: { kind: 'file', path, access: 'write' },
    label,
    ...more,
  });
}

export const TAME_REACH = {
  hasNewRecipient: false,
  isReplyToParticipants: true,
  isKnownChannel: true,
  isBackToSource: true,
  hasAttachment: false,
} as const;

export function postOf(more: Partial<ToolRequest> = {}): ToolRequest {
  return callOf({
    tool: toolOf({ class: 'E1', minRole: 'member' }),
    target: { kind: 'message', connector: 'memory', channel: 'news' },
    reach: TAME_REACH,
    ...more,
  });
}

export function voteOf(by: UserId, more: Partial<Vote> = {}): Vote {
  return { person: by, decision: 'grant', digest: effectOf().digest, at: NOW, via: 'signed', ...more };
}

const BYTES = {
  kind: 'message.post',
  sink: { connector: 'memory', account: 'demo', address: 'news' },
  recipients: ['news'],
  payloads: [{ text: 'hello' }],
} as const;

/** An approved external effect, ready to be performed. */
export function effectOf(more: Partial<Effect> = {}): Effect {
  const bytes = { ...BYTES, ...more };
  return {
    id: 'efct_00000000' as Effect['id'], // safe: of the right form
    class: 'E1',
    workspace: PLACE.workspace,
    context: PLACE.context,
    requester: person(MEMBER),
    label: makeLabel(1, [CTX]),
    digest: effectDigest(bytes),
    state: 'approved',
    decision: 'ask',
    approval: 'appr_00000000' as Approval['id'], // safe: of the right form
    summary: '',
    createdAt: 0,
    notBefore: 0,
    attempts: 0,
    receipts: [],
    ...bytes,
  };
}

/** An answer to the origin. */
export function answerOf(more: Partial<Effect> = {}): Effect {
  return effectOf({
    class: 'E0',
    decision: 'permit',
    approval: undefined,
    sink: { connector: 'memory', account: 'demo', address: 'general-channel' },
    ...more,
  });
}

/** A question about `effectOf()`. */
export function approvalOf(more: Partial<Approval> = {}): Approval {
  return {
    id: 'appr_00000000' as Approval['id'], // safe: of the right form
    effect: 'efct_00000000' as Approval['effect'], // safe: of the right form
    digest: effectOf().digest,
    ...PLACE,
    tier: 'medium',
    state: 'pending',
    approverRole: 'operator',
    needed: 1,
    releasers: [],
    requesterPerson: MEMBER,
    votes: [],
    createdAt: 0,
    expiresAt: NOW + 1000,
    ...more,
  };
}

export const PRIVATE = privTag(MEMBER);

/** `deny policy.role`, `permit policy.member`, …: outcome and first reason. */
export function verdict(request: PolicyRequest, rules: PolicyRules = rulesOf()): string {
  const decision = decide(request, rules);
  return `${decision.kind} ${decision.reasons[0]?.code ?? ''}`;
}

/** The obligation of that kind. */
export function dutyOf<K extends Obligation['kind']>(
  decision: Decision,
  kind: K,
): Extract<Obligation, { kind: K }> | undefined {
  return decision.obligations.find((duty): duty is Extract<Obligation, { kind: K }> => duty.kind === kind);
}
