import {
  type AdminVerb,
  AppError,
  type AuditDraft,
  type Context,
  type Decision,
  decide,
  type JsonObject,
  type Label,
  type PolicyRules,
  personOf,
  principalKey,
  type Scope,
  type StoreReader,
  type StoreTx,
  type UserId,
  WITHHELD_TEXT,
} from '@agent-runtime/domain';
import type { Actor } from '../api.ts';
import { policyRules } from '../effect/rules.ts';
import { requireLiveKey, signedFacts } from '../signed-facts.ts';
import type { AdminDeps } from './deps.ts';

/** Someone who looks: the actor with the rules as they are now. */
export interface Viewer {
  readonly actor: Actor;
  readonly rules: PolicyRules;
  /** The person, when there is one. */
  readonly person: UserId | undefined;
  decide(verb: AdminVerb, target: Scope): Decision;
  may(verb: AdminVerb, target: Scope): boolean;
}

export const EVERYTHING: Scope = { kind: 'all' };

export function workspaceScope(workspace: string): Scope {
  return { kind: 'workspace', workspace };
}

export function contextScope(row: { readonly workspace: string; readonly context: string }): Scope {
  return { kind: 'context', workspace: row.workspace, context: row.context };
}

/** @param reader the transaction when a write depends on the answer */
export async function viewerOf(
  deps: AdminDeps,
  actor: Actor,
  reader: StoreReader = deps.store.read,
): Promise<Viewer> {
  const rules = await policyRules(deps, reader, undefined);
  const ask = (verb: AdminVerb, target: Scope): Decision =>
    decide({ action: 'admin', verb, principal: actor.principal, via: actor.via, target }, rules);
  return {
    actor,
    rules,
    person: personOf(actor.principal),
    decide: ask,
    may: (verb, target) => ask(verb, target).kind === 'permit',
  };
}

/**
 * Lets a request pass or refuses it; the refusal is written down first.
 * @throws AppError policy.admin.denied
 */
export async function demand(
  deps: AdminDeps,
  viewer: Viewer,
  verb: AdminVerb,
  target: Scope,
): Promise<Decision> {
  const decision = viewer.decide(verb, target);
  if (decision.kind === 'permit') return decision;
  await recordRefusal(deps, viewer.actor, verb, decision);
  throw refusedBy(decision);
}

/** Writes a refusal down. A log that cannot be written does not turn a no into a yes. */
export async function recordRefusal(
  deps: AdminDeps,
  actor: Actor,
  what: string,
  decision: Decision,
): Promise<void> {
  const audit: AuditDraft = {
    action: 'policy.deny',
    actor: principalKey(actor.principal),
    subject: what,
    data: { decision: 'deny', reasons: reasonsOf(decision), via: actor.via },
  };
  try {
    await deps.store.commit(audit, async () => undefined);
  } catch (thrown) {
    deps.log.error(
      { room: 'admin', error: String(thrown) },
      'a refusal could not be written to the audit log',
    );
  }
}

/** The decision as an error: all reasons, in words. */
export function refusedBy(decision: Decision): AppError {
  return new AppError({
    code: 'policy.admin.denied',
    kind: 'denied',
    message: decision.reasons.map((reason) => reason.text).join(' '),
    detail: decision.reasons,
  });
}

export function reasonsOf(decision: Decision): readonly { readonly code: string; readonly text: string }[] {
  return decision.reasons.map(({ code, text }) => ({ code, text }));
}

/** A change of the admin plane. */
export interface Change {
  readonly verb: AdminVerb;
  readonly target: Scope;
  /** `<room>.<verb>` of the audit event. */
  readonly action: string;
  readonly subject: string;
  readonly workspace?: string | undefined;
  readonly context?: string | undefined;
  readonly data?: JsonObject | undefined;
}

/**
 * Decides, then writes with its audit event in one transaction. The decision is taken again inside, on the rows that the
 * write sees, so that a role taken away a moment ago no longer helps.
 * @throws AppError policy.admin.denied; whatever `body` throws; nothing is written then
 */
export async function change<T>(
  deps: AdminDeps,
  actor: Actor,
  what: Change,
  body: (tx: StoreTx, viewer: Viewer) => Promise<T>,
): Promise<T> {
  const decision = await demand(deps, await viewerOf(deps, actor), what.verb, what.target);
  return deps.store.commit(auditOf(actor, what, decision), async (tx) => {
    await requireLiveKey(tx, actor);
    const viewer = await viewerOf(deps, actor, tx);
    const again = viewer.decide(what.verb, what.target);
    if (again.kind !== 'permit') throw refusedBy(again);
    return body(tx, viewer);
  });
}

/** The audit event of a permitted act, with the signature that ordered it. */
export function auditOf(actor: Actor, what: Change, decision: Decision): AuditDraft {
  return {
    action: what.action,
    actor: principalKey(actor.principal),
    subject: what.subject,
    workspace: what.workspace,
    context: what.context,
    data: {
      ...what.data,
      decision: decision.kind,
      reasons: reasonsOf(decision),
      ...signedFacts(actor),
    },
  };
}

/**
 * May this person read a text with that label? Texts of workspaces and contexts need the role viewer there; a private text
 * needs to be one's own, or released.
 */
export function maySee(viewer: Viewer, label: Label, released: readonly UserId[] = []): boolean {
  return label.audience.every((tag) => {
    if (tag.startsWith('priv:')) {
      const owner = tag.slice('priv:'.length);
      return owner === viewer.person || released.some((user) => user === owner);
    }
    const [workspace = '', context] = tag.slice(tag.indexOf(':') + 1).split('/');
    return viewer.may(
      'workspace.read',
      context === undefined ? workspaceScope(workspace) : contextScope({ workspace, context }),
    );
  });
}

/** The text, or the fixed words for a text that is not for this person. */
export function shownTo(viewer: Viewer, label: Label, text: string): string {
  return maySee(viewer, label) ? text : WITHHELD_TEXT;
}

/** Is it a direct talk with somebody else? */
export function isOthersDirect(viewer: Viewer, context: Context | undefined): boolean {
  return context?.directWith !== undefined && context.directWith !== viewer.person;
}
