import {
  type Approval,
  type Context,
  canFlow,
  ctxTag,
  type Effect,
  isAtLeast,
  matchStanding,
  type PolicyRules,
  roleOf,
  type StandingApproval,
  type StandingFacts,
  type StoreReader,
  type StoreTx,
} from '@agent-runtime/domain';

/**
 * Looks for a standing approval that covers this question. Private text and questions to several people are never covered:
 * a rule signed once by one person cannot speak for the others.
 * @returns the rule, or undefined
 */
export async function findStanding(
  reader: StoreReader,
  effect: Effect,
  approval: Approval,
  rules: PolicyRules,
): Promise<StandingApproval | undefined> {
  const { context } = rules;
  if (context === undefined || approval.needed > 1 || approval.releasers.length > 0) return undefined;
  const candidates = await reader.find('approval_standing', { workspace: effect.workspace });
  for (const standing of candidates) {
    const facts = await factsOf(reader, { standing, effect, approval, rules, context });
    if (matchStanding(standing, effect, facts) === 'covered') return standing;
  }
  return undefined;
}

/**
 * Mints the one approval of this use, granted for exactly this digest, and counts the use in the same transaction.
 * @returns the approval to insert
 */
export async function mintApproval(
  tx: StoreTx,
  standing: StandingApproval,
  approval: Approval,
): Promise<Approval> {
  const at = approval.createdAt;
  const uses = [...standing.uses, { at, digest: approval.digest }];
  await tx.update('approval_standing', { id: standing.id }, { uses });
  return {
    ...approval,
    state: 'granted',
    standing: standing.id,
    votes: [{ person: standing.grantedBy, decision: 'grant', digest: approval.digest, at, via: 'standing' }],
    decidedAt: at,
  };
}

interface Question {
  readonly standing: StandingApproval;
  readonly effect: Effect;
  readonly approval: Approval;
  readonly rules: PolicyRules;
  readonly context: Context;
}

async function factsOf(reader: StoreReader, question: Question): Promise<StandingFacts> {
  const { standing, effect, approval, rules, context } = question;
  const scope = { kind: 'context', workspace: context.workspace, context: context.id } as const;
  return {
    nowMs: rules.nowMs,
    isGranterEntitled: isAtLeast(
      roleOf(standing.grantedBy, scope, rules.grants, rules.nowMs),
      approval.approverRole,
    ),
    fitsOwnContext: canFlow(effect.label, { kind: 'tags', tags: [ctxTag(context.workspace, context.id)] }),
    areRecipientsOwn: await areOwn(reader, effect),
  };
}

/** Is every recipient a paired person's account or a context of the same workspace? */
async function areOwn(reader: StoreReader, effect: Effect): Promise<boolean> {
  const { connector, account } = effect.sink;
  for (const recipient of effect.recipients) {
    const bound = await reader.get('context', {
      connector,
      account,
      channel: recipient,
      workspace: effect.workspace,
    });
    const paired = await reader.get('identity_link', { connector, externalId: recipient });
    if (bound === undefined && paired === undefined) return false;
  }
  return effect.recipients.length > 0;
}
