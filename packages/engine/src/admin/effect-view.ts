import {
  type Approval,
  type ApprovalDetail,
  type Effect,
  type EffectBytesWire,
  effectBytes,
  effectDigest,
  hasHidden,
  type JsonObject,
  type Principal,
  personOf,
  principalKey,
  showHidden,
  type UserId,
  WITHHELD_TEXT,
} from '@agent-runtime/domain';
import { fileChange } from '../effect/change.ts';
import { contextScope, maySee, type Viewer } from './authorize.ts';
import type { AdminDeps } from './deps.ts';

/** Who may know that an effect exists: staff of its context, the person who asked, and those whose text is in it. */
export function mayKnow(viewer: Viewer, effect: Effect, approval: Approval | undefined): boolean {
  if (viewer.may('effect.read', contextScope(effect))) return true;
  if (viewer.person === undefined) return false;
  return (
    isPersonOf(effect.requester, viewer.person) || (approval?.releasers.includes(viewer.person) ?? false)
  );
}

function isPersonOf(principal: Principal, person: UserId): boolean {
  return principal.kind !== 'guest' && personOf(principal) === person;
}

/** People who released exactly these bytes. */
function releasedBy(approval: Approval | undefined): readonly UserId[] {
  return (approval?.votes ?? [])
    .filter((vote) => vote.decision === 'release' && vote.digest === approval?.digest)
    .map((vote) => vote.person);
}

/** May this person read the bytes? Text of a person stays hidden from approvers until that person has released it. */
export function mayReadBytes(viewer: Viewer, effect: Effect, approval: Approval | undefined): boolean {
  return maySee(viewer, effect.label, releasedBy(approval));
}

/** One line about an effect, without words that are not for this person. */
export function summaryFor(viewer: Viewer, effect: Effect, approval: Approval | undefined): string {
  return mayReadBytes(viewer, effect, approval) ? showHidden(effect.summary) : WITHHELD_TEXT;
}

/** The bytes as they leave, or the reason why this person does not see them. */
export function bytesFor(
  viewer: Viewer,
  effect: Effect,
  approval: Approval | undefined,
): { readonly bytes: EffectBytesWire } | { readonly withheld: string } {
  if (!mayReadBytes(viewer, effect, approval)) {
    return {
      withheld:
        'It holds text of other people. They release it first (`approval show`, then `approval release`).',
    };
  }
  const canonical = effectBytes(effect);
  return {
    bytes: {
      sink: { ...effect.sink },
      recipients: [...effect.recipients],
      payloads: effect.payloads.map(plain),
      visible: showHidden(canonical),
      has_hidden: hasHidden(canonical),
    },
  };
}

/** What a write changes, for people who may read both the new words and the old ones. */
export async function diffFor(
  deps: Pick<AdminDeps, 'files'>,
  viewer: Viewer,
  effect: Effect,
  approval: Approval | undefined,
): Promise<Pick<ApprovalDetail, 'diff' | 'diff_note'>> {
  if (!mayReadBytes(viewer, effect, approval)) return {};
  const change = await fileChange(deps.files, effect);
  if (change === undefined) return {};
  if (change.kind === 'changed')
    return { diff_note: 'The file is not the one any more that this was proposed for.' };
  if (change.before !== undefined && !maySee(viewer, change.before.label, releasedBy(approval)))
    return { diff_note: 'The present text of the file is not for you.' };
  const { added, removed, text, isCut } = change.diff;
  return { diff: { added, removed, text: showHidden(text), is_cut: isCut } };
}

/** Are the stored bytes the ones that were digested? */
export function isIntact(effect: Effect): boolean {
  return effectDigest(effect) === effect.digest;
}

/** The requester for lists: a person's name where there is one. */
export function requesterName(nameOf: (key: string) => string, principal: Principal): string {
  return nameOf(principalKey(principal));
}

/** A JSON object without undefined members, mutable as zod has it. */
export function plain(value: JsonObject): EffectBytesWire['payloads'][number] {
  return JSON.parse(JSON.stringify(value)); // safe: JSON by type
}
