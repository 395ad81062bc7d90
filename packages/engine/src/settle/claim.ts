import {
  AppError,
  type Approval,
  type AuditDraft,
  consume,
  type Decision,
  decide,
  type Effect,
  type EffectId,
  type EffectState,
  effectBytes,
  moveEffect,
  type StoreReader,
  type StoreTx,
} from '@agent-runtime/domain';
import type { EngineDeps } from '../api.ts';
import { whatLeft } from '../approval/expire.ts';
import { policyRules } from '../effect/rules.ts';
import { hubAt } from '../hub/card.ts';
import { isMirrorAgreed } from '../hub/mirror.ts';
import { writeOutcome } from '../notify/outcome.ts';
import { type Ending, isDoubted, record, stillDoubted } from './record.ts';
import { mustWait } from './wait.ts';

/** `claimed`: ours to perform · `held`: panic or gate · `gone`: not ours any more · `refused`: policy said no, it is final. */
export type Claim =
  | { readonly kind: 'claimed'; readonly effect: Effect }
  | { readonly kind: 'held' | 'gone' | 'refused' };

type Plan =
  | { readonly kind: 'held' | 'gone' }
  | {
      readonly kind: 'perform' | 'refuse';
      readonly effect: Effect;
      readonly approval: Approval | undefined;
      readonly decision: Decision;
    };

/**
 * Takes an approved effect for this process: decided afresh, its approval used up, and the decision durable in the log, all in one commit
 * that is fenced by the boot epoch. Nothing may be performed before this has resolved with `claimed` (T4).
 * @throws AppError database.* when the commit cannot be made; then nothing was claimed. When only the signed head of the log cannot be
 *   written, the claim is given back
 */
export async function claim(deps: EngineDeps, id: EffectId): Promise<Claim> {
  const seen = await plan(deps, deps.store.read, id);
  if (!('effect' in seen)) return { kind: seen.kind };
  let taken: Effect | undefined;
  try {
    return await deps.store.commit(auditOf(deps, seen), async (tx) => {
      // The audit event says what was decided, so the transaction must find the same world or write nothing.
      const fresh = await plan(deps, tx, id);
      if (!('effect' in fresh) || fresh.kind !== seen.kind || fresh.effect.digest !== seen.effect.digest)
        throw moved(id);
      if (fresh.kind === 'refuse') return refuse(deps, tx, fresh);
      const claimed = await take(deps, tx, fresh);
      taken = claimed.effect;
      return claimed;
    });
  } catch (thrown) {
    if (thrown instanceof AppError && thrown.code === 'settle.claim.conflict') return { kind: 'gone' };
    if (thrown instanceof AppError && thrown.code === 'audit.head.unavailable' && taken !== undefined) {
      deps.log.error(
        { room: 'settle', effect: id, error: thrown },
        'nothing may leave: the audit head is not signed',
      );
      // Nothing was tried, so it costs no try: else a minute of this would leave none for the outside.
      await record(deps, { ...taken, attempts: taken.attempts - 1 }, notYet(deps, thrown));
      return { kind: 'gone' };
    }
    throw thrown;
  }
}

/** The claim is durable, but its head is not signed: an older database could be put back unnoticed, so nothing leaves and it is tried again. */
function notYet(deps: EngineDeps, thrown: AppError): Ending {
  const { code, kind, message } = thrown;
  const notBefore = deps.clock.nowMs() + deps.config.deliverBackoffMaxMs;
  return { kind: 'retry', error: { code, kind, message }, notBefore, isDoubtful: false };
}

async function plan(deps: EngineDeps, reader: StoreReader, id: EffectId): Promise<Plan> {
  const effect = await reader.get('effect', { id });
  if (effect === undefined || effect.state !== 'approved') return { kind: 'gone' };
  const rules = await policyRules(deps, reader, effect.context);
  if (rules.isPanicOn || rules.isGateClosed) return { kind: 'held' };
  if (mustWait(effect, rules.nowMs)) return { kind: 'gone' };
  const approval =
    effect.approval === undefined ? undefined : await reader.get('approval', { id: effect.approval });
  const isToolGranted = isToolAllowed(deps, effect, rules.settings?.tools ?? []);
  const hub = await hubAt(reader, effect);
  const usable = asUsable(effect, approval);
  const isAgreed = await isMirrorAgreed(reader, effect, rules);
  const decision = decide(
    {
      action: 'effect.perform',
      effect,
      approval: usable,
      isToolGranted,
      hub,
      isMirrorAgreed: isAgreed,
    },
    rules,
  );
  const isStanding = await isStandingLive(reader, approval);
  if (decision.kind === 'permit' && isStanding) return { kind: 'perform', effect, approval, decision };
  return { kind: 'refuse', effect, approval, decision: isStanding ? decision : STANDING_REVOKED };
}

/** An effect of which parts have left goes on under the approval that it consumed for them: one approval, one execution. */
function isContinuing(effect: Effect, approval: Approval | undefined): boolean {
  return (
    effect.receipts.length > 0 &&
    approval !== undefined &&
    approval.state === 'consumed' &&
    approval.effect === effect.id &&
    approval.digest === effect.digest
  );
}

/** What policy looks at: for a continuation its own consumed approval counts as given; expiry and approvers are checked as ever. */
function asUsable(effect: Effect, approval: Approval | undefined): Approval | undefined {
  if (approval === undefined || !isContinuing(effect, approval)) return approval;
  return { ...approval, state: 'granted' };
}

const STANDING_REVOKED: Decision = {
  kind: 'deny',
  reasons: [
    { code: 'policy.standing', text: 'Denied: the standing approval that covered this was revoked.' },
  ],
  obligations: [],
};

/** A tool that was unregistered or taken from the context performs nothing, also not what it proposed before. Answers have no tool. */
function isToolAllowed(deps: EngineDeps, effect: Effect, allowed: readonly string[]): boolean {
  if (effect.class === 'E0') return true;
  const { tool } = effect;
  if (tool === undefined || !deps.tools.some((spec) => spec.name === tool)) return false;
  return allowed.includes('*') || allowed.includes(tool);
}

async function isStandingLive(reader: StoreReader, approval: Approval | undefined): Promise<boolean> {
  if (approval?.standing === undefined) return true;
  const standing = await reader.get('approval_standing', { id: approval.standing });
  return standing !== undefined && standing.revokedAt === undefined;
}

type Ready = Extract<Plan, { kind: 'perform' | 'refuse' }>;

async function take(
  deps: EngineDeps,
  tx: StoreTx,
  ready: Ready,
): Promise<Extract<Claim, { kind: 'claimed' }>> {
  const { effect, approval } = ready;
  const patch = {
    state: moveEffect(effect, 'claim'),
    claimEpoch: deps.store.epoch,
    attempts: effect.attempts + 1,
  };
  const claimed = await tx.update('effect', { id: effect.id, state: 'approved' }, patch);
  if (claimed !== 1) throw moved(effect.id);
  if (effect.decision === 'ask' && !isContinuing(effect, approval)) {
    if (approval === undefined) throw moved(effect.id);
    const used = consume(approval, effect.digest, deps.clock.nowMs());
    const consumed = await tx.update(
      'approval',
      { id: approval.id, state: 'granted' },
      { state: used.state },
    );
    if (consumed !== 1) throw moved(effect.id);
  }
  return { kind: 'claimed', effect: { ...effect, ...patch } };
}

/** It does not go out again, but an earlier try may have arrived. */
function lost(effect: Effect): EffectState {
  return moveEffect({ id: effect.id, state: moveEffect(effect, 'claim') }, 'lose');
}

async function refuse(deps: EngineDeps, tx: StoreTx, ready: Ready): Promise<Claim> {
  const { effect, approval, decision } = ready;
  const nowMs = deps.clock.nowMs();
  const isLate = decision.reasons.some((reason) => reason.code === 'policy.expired');
  const why = decision.reasons.map((reason) => reason.text).join(' ');
  const denied = { code: 'settle.decision.denied', kind: 'denied', message: why } as const;
  const error = isDoubted(effect) ? stillDoubted(denied) : denied;
  const state = isDoubted(effect) ? lost(effect) : moveEffect(effect, isLate ? 'expire' : 'deny');
  const changed = await tx.update(
    'effect',
    { id: effect.id, state: 'approved' },
    { state, error, settledAt: nowMs },
  );
  if (changed !== 1) throw moved(effect.id);
  if (approval?.state === 'granted') {
    await tx.update(
      'approval',
      { id: approval.id, state: 'granted' },
      { state: isLate ? 'expired' : 'void', decidedAt: nowMs },
    );
  }
  await writeOutcome(deps, tx, {
    effect: { ...effect, state },
    text: `${effect.id} was stopped right before it would have left${whatLeft(effect)}. ${why}`,
  });
  return { kind: 'refused' };
}

function auditOf(deps: EngineDeps, ready: Ready): AuditDraft {
  const { effect, approval, decision } = ready;
  return {
    action: ready.kind === 'perform' ? 'effect.perform' : 'effect.refuse',
    actor: 'appliance',
    subject: effect.id,
    workspace: effect.workspace,
    context: effect.context,
    data: {
      digest: effect.digest,
      kind: effect.kind,
      // The store signs the head before this resolves, unless it is an answer.
      class: effect.class,
      decision: effect.decision,
      approval: approval?.id,
      attempt: effect.attempts + 1,
      from: effect.receipts.length,
      parts: effect.payloads.length,
      epoch: deps.store.epoch,
      reasons: decision.reasons.map((reason) => reason.code),
    },
    // What was asked is on record since its proposal; an answer is first seen by the log here.
    content: effect.class === 'E0' ? effectBytes(effect) : undefined,
  };
}

function moved(id: EffectId): AppError {
  return new AppError({
    code: 'settle.claim.conflict',
    kind: 'conflict',
    message: `${id} is not what it was a moment ago.`,
  });
}
