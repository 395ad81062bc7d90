import { MAX_PENDING_PER_TASK, raiseTier, type Tier } from '../approval/index.ts';
import type { UserId } from '../base/index.ts';
import type { Context, EffectiveSettings } from '../context/index.ts';
import { personOf, type Role } from '../identity/index.ts';
import type { Label } from '../label/index.ts';
import { countApprovers } from './approvers.ts';
import { ask, type Decision, deny } from './decision.ts';
import type { PolicyRequest, PolicyRules } from './request.ts';

export type ToolRequest = Extract<PolicyRequest, { action: 'tool.call' }>;

/** A tool call with everything known to be there that its rule looks at. */
export interface Where {
  readonly request: ToolRequest;
  readonly rules: PolicyRules;
  readonly context: Context;
  readonly settings: EffectiveSettings;
  readonly label: Label;
}

/** What a rule wants to know of humans. */
export interface Question {
  readonly tier: Tier;
  readonly approverRole: Role;
  /** People whose private text would leave; empty for what stays inside. */
  readonly releasers: readonly UserId[];
  readonly code: string;
  readonly text: string;
}

/** Asks, unless this task has been told no before or already waits for enough answers. */
export function askFor(where: Where, question: Question): Decision {
  const { request, rules, settings, context } = where;
  if (request.wasKindDenied !== false)
    return deny('policy.denied-before', 'Denied: this task already met a no to such a request.');
  if (!(request.pendingOfTask < MAX_PENDING_PER_TASK))
    return deny('policy.flood', `Denied: this task already waits for ${MAX_PENDING_PER_TASK} answers.`);
  const { approverRole, releasers } = question;
  const tier = raiseTier(question.tier, rules.tierFloors?.[request.tool?.name ?? '']);
  const others = countApprovers(context, approverRole, rules, personOf(request.principal));
  const wanted = approversWanted(tier, settings);
  const needed = Math.max(1, Math.min(wanted, rules.eligibleApprovers, others));
  const asked = ask(question.code, question.text, {
    kind: 'approval',
    tier,
    approverRole,
    needed,
    releasers,
  });
  if (needed >= wanted) return asked;
  return { ...asked, reasons: [...asked.reasons, { code: FEW_APPROVERS, text: sayFew(wanted, needed) }] };
}

/** How many different people a context wants for a question of this tier. */
export function approversWanted(tier: Tier, settings: Pick<EffectiveSettings, 'approversForHigh'>): number {
  return tier === 'high' ? settings.approversForHigh : 1;
}

const FEW_APPROVERS = 'policy.few-approvers';

/** Fewer than wanted is never silent: whoever answers knows that their word weighs more than it should. */
export function sayFew(wanted: number, able: number): string {
  return `Policy wants ${wanted} approvers, only ${able} can approve.`;
}
