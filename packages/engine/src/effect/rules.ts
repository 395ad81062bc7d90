import {
  type ContextId,
  effectiveSettings,
  type Grant,
  isAtLeast,
  isUsable,
  type PolicyRules,
  personOf,
  principalKey,
  roleOf,
  type StoreReader,
  type UserId,
} from '@agent-runtime/domain';
import type { EngineDeps } from '../api.ts';

/** What reading the rules needs of the engine. */
export type RulesDeps = Pick<EngineDeps, 'panic' | 'clock' | 'config'>;

/**
 * The state of the world for one decision, read fresh. Inside a commit pass the transaction, so that decision and write see the same rows.
 * @param context where it happens; an unknown one gives rules that deny everything but admin requests
 * @param asker   does not count among the eligible approvers, for where several must approve the asker is not one of them
 */
export async function policyRules(
  deps: RulesDeps,
  reader: StoreReader,
  context: ContextId | undefined,
  asker?: UserId | undefined,
): Promise<PolicyRules> {
  const nowMs = deps.clock.nowMs();
  const here = context === undefined ? undefined : await reader.get('context', { id: context });
  const workspace = here === undefined ? undefined : await reader.get('workspace', { id: here.workspace });
  const gate = await reader.get('gate_state', { id: 'gate' });
  const grants = await liveGrants(reader, nowMs);
  return {
    nowMs,
    isPanicOn: deps.panic.isOn(),
    isGateClosed: gate?.isClosed ?? false,
    grants,
    context: workspace === undefined ? undefined : here,
    settings: workspace === undefined || here === undefined ? undefined : effectiveSettings(workspace, here),
    tierFloors: deps.config.tierFloors,
    chatGrantsPerDay: deps.config.chatGrantsPerDay,
    eligibleApprovers: here === undefined ? 0 : countApprovers(grants, here, asker, nowMs),
  };
}

/** Grants of people who left and of tokens that were revoked or have expired give nothing, even while their rows are still there. */
async function liveGrants(reader: StoreReader, nowMs: number): Promise<readonly Grant[]> {
  const gone = new Set<string>();
  for (const user of await reader.find('identity_user', { isActive: false })) gone.add(user.id);
  for (const token of await reader.find('identity_token', {})) {
    if (!isUsable(token, nowMs)) gone.add(token.id);
  }
  const grants = await reader.find('identity_grant', {});
  return grants.filter((grant) => !gone.has(grant.principal));
}

function countApprovers(
  grants: readonly Grant[],
  here: { readonly workspace: string; readonly id: string },
  asker: UserId | undefined,
  nowMs: number,
): number {
  const scope = { kind: 'context', workspace: here.workspace, context: here.id } as const;
  const people = new Set(
    grants
      .map((grant) => grant.principal)
      .filter((key) => key.startsWith('user_') && key !== asker)
      .filter((key) => isAtLeast(roleOf(key, scope, grants, nowMs), 'operator')),
  );
  return people.size;
}

/** Does this principal belong to the key: the principal itself, or a token or service of that person? */
export function belongsTo(principal: Parameters<typeof principalKey>[0], key: string): boolean {
  return principalKey(principal) === key || personOf(principal) === key;
}
