import {
  type AdminParsed,
  type AdminReply,
  AppError,
  type Invite,
  type StoreReader,
  toInstant,
  type User,
} from '@agent-runtime/domain';
import type { Actor } from '../api.ts';
import { change, EVERYTHING } from './authorize.ts';
import { certificateOf, credentialsOf, currentCa } from './certificate.ts';
import type { AdminDeps, AdminPart, MadeInvite } from './deps.ts';
import { findUser } from './find.ts';
import { requireNotAbovePerson } from './people.ts';

/** Enrolment of client keys: a one-time code that is shown once, proved, and never sent. The person is fixed in the invite. */
export const INVITE: AdminPart<'invite.create' | 'key.enrol'> = {
  'invite.create': async (deps, actor, { user: name }) => {
    const user =
      name === undefined ? await firstOverlord(deps.store.read) : await findUser(deps.store.read, name);
    if (!user.isActive) throw hasLeft(user);
    const nowMs = deps.clock.nowMs();
    const made = deps.keys.newInvite({ nowMs, caFingerprint: (await currentCa(deps, nowMs)).fingerprint });
    const what = {
      verb: 'identity.invite',
      target: EVERYTHING,
      action: 'identity.invite',
      subject: made.inviteId,
      data: { user: user.id, expiresAt: made.expiresAtMs },
    } as const;
    await change(deps, actor, what, async (tx, viewer) => {
      requireNotAbovePerson(viewer, user.id);
      await tx.insert('identity_invite', inviteRow(deps, user, made));
    });
    return { code: made.code, user: user.name, expires_at: toInstant(made.expiresAtMs) };
  },
  'key.enrol': enrol,
};

function inviteRow(deps: AdminDeps, user: User, made: MadeInvite): Invite {
  return {
    id: made.inviteId,
    user: user.id,
    proofKey: deps.sealer.seal(made.proofKey),
    createdAt: deps.clock.nowMs(),
    expiresAt: made.expiresAtMs,
  };
}

/**
 * Stores the proved key and uses the invite up, in one commit. Every reason why an invite cannot be used gives the same answer.
 * @throws AppError invite.proof.unauthenticated · identity.key.conflict (this key is known already)
 */
async function enrol(
  deps: AdminDeps,
  actor: Actor,
  input: AdminParsed<'key.enrol'>,
): Promise<AdminReply<'key.enrol'>> {
  const invite = await deps.store.read.get('identity_invite', { id: input.invite_id });
  const nowMs = deps.clock.nowMs();
  if (invite === undefined || invite.usedAt !== undefined) throw deps.keys.refusedInvite();
  const proofKey = deps.sealer.open(invite.proofKey);
  const proved = deps.keys.proveEnrolment({
    inviteId: invite.id,
    proofKey,
    expiresAtMs: invite.expiresAt,
    request: input.request,
    proof: input.proof,
    nowMs,
  });
  if (deps.redactor.text(proved.keyId) !== proved.keyId) throw keyUnfit();
  const what = {
    verb: 'identity.enrol',
    target: EVERYTHING,
    action: 'identity.enrol',
    subject: proved.keyId,
    // With the key itself, so that the log alone is enough to check what this person signs.
    data: {
      user: invite.user,
      invite: invite.id,
      name: input.name,
      publicKey: deps.keys.publicKeyText(proved.publicKeyPem),
    },
  } as const;
  // Before the commit: a certificate that nobody has a row of opens nothing.
  const issued = await deps.authority.issue({
    publicKeyPem: proved.publicKeyPem,
    user: invite.user,
    nowMs,
  });
  const user = await change(deps, actor, what, async (tx) => {
    const owner = await tx.get('identity_user', { id: invite.user });
    if (owner?.isActive !== true) throw deps.keys.refusedInvite();
    const used = await tx.update(
      'identity_invite',
      { id: invite.id, usedAt: { isNull: true } },
      { usedAt: nowMs },
    );
    if (used === 0) throw deps.keys.refusedInvite();
    if ((await tx.get('identity_key', { id: proved.keyId })) !== undefined) throw keyKnown();
    await tx.insert('identity_key', {
      id: proved.keyId,
      user: owner.id,
      publicKeyPem: proved.publicKeyPem,
      name: input.name,
      createdAt: nowMs,
    });
    await tx.insert('identity_certificate', certificateOf(issued, proved.keyId, owner.id));
    return owner;
  });
  const answer = {
    key_id: proved.keyId,
    user: user.name,
    user_id: user.id,
    instance_id: deps.about.instanceId,
    admin_url: deps.authority.adminUrl(),
    ...(await credentialsOf(deps, issued, nowMs)),
  };
  return { ...answer, proof: deps.keys.serverProof({ inviteId: invite.id, proofKey }, answer) };
}

/** Whoever reaches the local socket is the host; without a name the first overlord is meant. */
async function firstOverlord(reader: StoreReader): Promise<User> {
  const grants = await reader.find('identity_grant', { role: 'overlord' }, { orderBy: 'createdAt' });
  for (const grant of grants) {
    if (grant.scope.kind !== 'all') continue;
    const user = await reader.get('identity_user', { id: grant.principal as User['id'], isActive: true }); // safe: only compared with ids in the table
    if (user !== undefined) return user;
  }
  throw new AppError({
    code: 'identity.overlord.missing',
    kind: 'missing',
    message: 'There is no overlord yet. Run `agent-runtime setup` first.',
  });
}

function hasLeft(user: User): AppError {
  return new AppError({
    code: 'identity.user.conflict',
    kind: 'conflict',
    message: `${user.name} has left; people who left cannot enrol.`,
  });
}

/** About one key in 200,000: its name would be hidden in the log, and nothing that it signs could be checked there. */
function keyUnfit(): AppError {
  return new AppError({
    code: 'identity.key.conflict',
    kind: 'conflict',
    message: 'The name of this key looks like a secret. Make a new one: run the command again.',
  });
}

function keyKnown(): AppError {
  return new AppError({
    code: 'identity.key.conflict',
    kind: 'conflict',
    message: 'This key is enrolled already. Make a new one.',
  });
}
