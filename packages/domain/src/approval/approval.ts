import {
  AppError,
  type ApprovalId,
  type ContextId,
  type Digest,
  type EffectId,
  type StandingId,
  type UserId,
  type WorkspaceId,
} from '../base/index.ts';
import type { Role } from '../identity/index.ts';

/** Risk of an effect. High needs a request signed by the approver's client key. */
export const TIERS = ['low', 'medium', 'high'] as const;
export type Tier = (typeof TIERS)[number];

export const APPROVAL_STATES = [
  'pending',
  'granted',
  'consumed',
  'denied',
  'withdrawn',
  'superseded',
  'expired',
  'void',
] as const;
export type ApprovalState = (typeof APPROVAL_STATES)[number];

/** One person's answer, bound to the digest they saw. `release` frees the person's own private text. */
export interface Vote {
  readonly person: UserId;
  readonly decision: 'grant' | 'deny' | 'release';
  readonly digest: Digest;
  readonly at: number;
  readonly via: 'signed' | 'chat' | 'standing';
  readonly reason?: string | undefined;
  /** Client key and signature over `decisionBytes`, kept for offline verification. */
  readonly keyId?: string | undefined;
  readonly signature?: string | undefined;
  /** The canonical JSON that was signed. */
  readonly signed?: string | undefined;
}

/** A question to humans about one effect and its answer: bound to the digest, expiring, single-use. */
export interface Approval {
  readonly id: ApprovalId;
  readonly effect: EffectId;
  readonly digest: Digest;
  readonly workspace: WorkspaceId;
  readonly context: ContextId;
  readonly tier: Tier;
  readonly state: ApprovalState;
  readonly approverRole: Role;
  /** Distinct people who must grant, >= 1. */
  readonly needed: number;
  /** People whose private text is in it; each must release the digest first. */
  readonly releasers: readonly UserId[];
  readonly requesterPerson?: UserId | undefined;
  readonly votes: readonly Vote[];
  readonly standing?: StandingId | undefined;
  readonly createdAt: number;
  readonly expiresAt: number;
  readonly decidedAt?: number | undefined;
}

const HOUR_MS = 3_600_000;

/** How long a question stays open, milliseconds. */
export const DEFAULT_EXPIRY_MS: Readonly<Record<Tier, number>> = {
  low: 24 * HOUR_MS,
  medium: 24 * HOUR_MS,
  high: 4 * HOUR_MS,
};

/** At most this many open questions per task. */
export const MAX_PENDING_PER_TASK = 3;

export function raiseTier(tier: Tier, floor: Tier | undefined): Tier {
  return floor === undefined || TIERS.indexOf(floor) <= TIERS.indexOf(tier) ? tier : floor;
}

export function isExpired(approval: Approval, nowMs: number): boolean {
  // Not `>=`: a broken time makes it expired instead of eternal.
  return !(nowMs < approval.expiresAt);
}

/** Distinct people who granted exactly this digest. */
export function grantersOf(approval: Approval): readonly UserId[] {
  return [
    ...new Set(
      approval.votes
        .filter((vote) => vote.decision === 'grant' && vote.digest === approval.digest)
        .map((vote) => vote.person),
    ),
  ];
}

/** People whose release is still missing. */
export function missingReleases(approval: Approval): readonly UserId[] {
  return approval.releasers.filter(
    (user) =>
      !approval.votes.some(
        (vote) => vote.decision === 'release' && vote.person === user && vote.digest === approval.digest,
      ),
  );
}

/**
 * Records one answer.
 * @returns the approval with the vote; `granted` once enough distinct people granted, `denied` at the first denial
 * @throws AppError approval.state.conflict (no longer open, or expired) · approval.digest.conflict (the effect changed since it was shown) ·
 *   approval.release.denied (private text not yet released) · approval.vote.conflict (this person already answered)
 */
export function castVote(approval: Approval, vote: Vote): Approval {
  if (approval.state !== 'pending' || isExpired(approval, vote.at)) throw closed(approval, vote.at);
  if (vote.digest !== approval.digest) {
    throw new AppError({
      code: 'approval.digest.conflict',
      kind: 'conflict',
      message: `${approval.id} is about other bytes than the ones you saw. Look at it again before you decide.`,
    });
  }
  if (vote.decision === 'grant' && missingReleases(approval).length > 0) {
    throw new AppError({
      code: 'approval.release.denied',
      kind: 'denied',
      message: `${approval.id} holds private text of ${missingReleases(approval).join(', ')}; they must release it first.`,
    });
  }
  if (vote.decision === 'release' && !approval.releasers.includes(vote.person)) {
    throw new AppError({
      code: 'approval.release.invalid',
      kind: 'invalid',
      message: `${approval.id} holds no private text of yours.`,
    });
  }
  if (approval.votes.some((old) => old.person === vote.person && old.decision === vote.decision)) {
    throw new AppError({
      code: 'approval.vote.conflict',
      kind: 'conflict',
      message: `You have already answered ${approval.id}.`,
    });
  }
  const next: Approval = { ...approval, votes: [...approval.votes, vote] };
  if (vote.decision === 'deny') return { ...next, state: 'denied', decidedAt: vote.at };
  if (vote.decision === 'grant' && grantersOf(next).length >= approval.needed)
    return { ...next, state: 'granted', decidedAt: vote.at };
  return next;
}

/**
 * Uses a granted approval up; the caller writes it with compare-and-swap on `granted`.
 * @throws AppError approval.state.conflict · approval.digest.conflict
 */
export function consume(approval: Approval, digest: Digest, nowMs: number): Approval {
  if (approval.state !== 'granted' || isExpired(approval, nowMs)) throw closed(approval, nowMs);
  if (approval.digest !== digest) {
    throw new AppError({
      code: 'approval.digest.conflict',
      kind: 'conflict',
      message: `${approval.id} was given for other bytes.`,
    });
  }
  return { ...approval, state: 'consumed' };
}

/**
 * Ends an open question for a reason that is not a vote. A granted, unconsumed one can still end this way.
 * @throws AppError approval.state.conflict when it is already final
 */
export function close(
  approval: Approval,
  state: 'withdrawn' | 'superseded' | 'expired' | 'void',
  nowMs: number,
): Approval {
  if (approval.state !== 'pending' && approval.state !== 'granted') throw closed(approval, nowMs);
  return { ...approval, state, decidedAt: nowMs };
}

function closed(approval: Approval, nowMs: number): AppError {
  const state =
    (approval.state === 'pending' || approval.state === 'granted') && isExpired(approval, nowMs)
      ? 'expired'
      : approval.state;
  return new AppError({
    code: 'approval.state.conflict',
    kind: 'conflict',
    message: `${approval.id} is ${state}; nothing more can be decided about it.`,
  });
}

/** What an approver signs: canonical JSON of this, so that the answer verifies offline against one effect and one point of the log. */
export interface DecisionStatement {
  readonly approval: ApprovalId;
  readonly effect: EffectId;
  readonly digest: Digest;
  readonly decision: 'grant' | 'deny' | 'release';
  readonly expiry: number;
  readonly auditHead: string;
}
