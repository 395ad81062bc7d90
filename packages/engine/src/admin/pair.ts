import {
  type AdminParsed,
  AppError,
  fromInstant,
  type Grant,
  type Identity,
  type IdentityRow,
  isPairingLive,
  isSlug,
  oneLine,
  type Pairing,
  type PairingRow,
  parseScope,
  principalKey,
  publicLabel,
  type StoreTx,
  toInstant,
  type User,
} from '@agent-runtime/domain';
import type { Actor } from '../api.ts';
import { isStaffSomewhere } from '../hub/mirror.ts';
import { writeNotice } from '../notify/notice.ts';
import { signedFacts } from '../signed-facts.ts';
import { change, demand, EVERYTHING, viewerOf } from './authorize.ts';
import type { AdminDeps, AdminPart } from './deps.ts';
import { bindDirect, type DirectPlace, grantAudit } from './direct.ts';
import { findById, findUser, namesOf } from './find.ts';
import { hasLeft, inThePast, requireKnownPlace } from './grant.ts';
import { pairingOfCode } from './guess.ts';
import { identityRow, requireNotAbove, requireNotAbovePerson } from './people.ts';
import { nameTaken } from './user.ts';

/** Pairing: who waits, and what an admin makes of it. Outside accounts reach every workspace of their person, so the role must hold everywhere. */
export const PAIR: AdminPart<'pair.list' | 'pair.show' | 'pair.approve' | 'pair.deny'> = {
  'pair.list': async (deps, actor) => {
    await demand(deps, await viewerOf(deps, actor), 'identity.read', EVERYTHING);
    const nowMs = deps.clock.nowMs();
    const rows = await deps.store.read.find('identity_pairing', {}, { orderBy: 'createdAt' });
    return { items: rows.filter((row) => isPairingLive(row, nowMs)).map(pairingRow) };
  },
  'pair.show': async (deps, actor, { code }) => pairingRow(await pairingOfCode(deps, actor, code)),
  'pair.approve': approvePairing,
  'pair.deny': denyPairing,
};

async function approvePairing(
  deps: AdminDeps,
  actor: Actor,
  input: AdminParsed<'pair.approve'>,
): Promise<IdentityRow> {
  const scope = parseScope(input.scope);
  const expiresAt = input.expires_at === undefined ? undefined : fromInstant(input.expires_at);
  const nowMs = deps.clock.nowMs();
  if (expiresAt !== undefined && expiresAt <= nowMs) throw inThePast();
  const pairing = await pairingOfCode(deps, actor, input.code);
  const user = input.create_user ? newUser(deps, input.user) : await findUser(deps.store.read, input.user);
  const grant: Grant = {
    id: deps.ids.make('grant'),
    principal: user.id,
    role: input.role,
    scope,
    grantedBy: principalKey(actor.principal),
    createdAt: nowMs,
    expiresAt,
  };
  // The words that came with the code say so; who becomes staff later has not agreed until paired again.
  const held = await deps.store.read.find('identity_grant', { principal: user.id });
  const isMirrored = isStaffSomewhere(user.id, { grants: [...held, grant], nowMs });
  const link: Identity = {
    id: deps.ids.make('identity'),
    connector: pairing.connector,
    externalId: pairing.externalId,
    user: user.id,
    displayName: pairing.displayName,
    createdAt: nowMs,
    mirrorAgreedAt: isMirrored ? nowMs : undefined,
  };
  const what = {
    verb: 'identity.set',
    target: EVERYTHING,
    action: 'identity.pair_approve',
    subject: link.id,
    data: {
      pairing: pairing.id,
      user: user.id,
      connector: link.connector,
      externalId: link.externalId,
      role: grant.role,
      scope: { ...scope },
      isNewUser: input.create_user,
      isMirrored,
    },
  } as const;
  const place = await change(deps, actor, what, async (tx, viewer) => {
    requireNotAbovePerson(viewer, user.id);
    requireNotAbove(viewer, grant.role, scope);
    await takePairing(deps, tx, pairing);
    await (input.create_user ? addUser(tx, user, actor) : requireActive(tx, user));
    await requireKnownPlace(tx, scope);
    await tx.insert('identity_grant', grant);
    tx.audit(grantAudit(grant, actor));
    const made = await bindDirect(deps, tx, { actor, user, pairing });
    if ((await tx.get('identity_link', accountOf(pairing))) !== undefined) throw linkedAlready();
    await tx.insert('identity_link', {
      ...link,
      context: made.context.directWith === user.id ? made.context.id : undefined,
    });
    await leaveNotice(deps, tx, link, user, made);
    return made;
  });
  if (place.workspace !== undefined) await deps.configFiles.saveWorkspace(place.workspace);
  await deps.configFiles.saveContext(place.context);
  await deps.engine.settingsChanged();
  return identityRow(link, await namesOf(deps.store.read));
}

function newUser(deps: AdminDeps, name: string): User {
  if (!isSlug(name)) throw noName(name);
  return {
    id: deps.ids.make('user'),
    name,
    displayName: name,
    isActive: true,
    createdAt: deps.clock.nowMs(),
  };
}

/** Uses the code up. Of two who approve, or of one who approves and one who asks anew, one wins. */
async function takePairing(deps: AdminDeps, tx: StoreTx, pairing: Pairing): Promise<void> {
  const taken = await tx.remove('identity_pairing', { id: pairing.id });
  if (taken === 0 || !isPairingLive(pairing, deps.clock.nowMs())) throw notWaiting();
}

async function addUser(tx: StoreTx, user: User, actor: Actor): Promise<void> {
  if ((await tx.get('identity_user', { name: user.name })) !== undefined) throw nameTaken(user.name);
  await tx.insert('identity_user', user);
  tx.audit({
    action: 'identity.add',
    actor: principalKey(actor.principal),
    subject: user.id,
    data: { name: user.name, ...signedFacts(actor) },
  });
}

async function requireActive(tx: StoreTx, user: User): Promise<void> {
  if ((await tx.get('identity_user', { id: user.id }))?.isActive !== true) throw hasLeft(user.name);
}

function accountOf(pairing: Pairing) {
  return { connector: pairing.connector, externalId: pairing.externalId };
}

async function leaveNotice(
  deps: AdminDeps,
  tx: StoreTx,
  link: Identity,
  user: User,
  { context }: DirectPlace,
): Promise<void> {
  await writeNotice(deps, tx, {
    key: `paired:${link.id}`,
    workspace: context.workspace,
    context: context.id,
    draft: { text: `You are paired as ${user.name}.${link.mirrorAgreedAt === undefined ? '' : MIRRORED}` },
    label: publicLabel(2),
    isAnswer: true,
  });
}

const MIRRORED =
  ' As staff you have agreed that the admin hub shows what is said in this direct talk, as far as it is cleared for it.';

async function denyPairing(
  deps: AdminDeps,
  actor: Actor,
  input: { readonly id: string },
): Promise<PairingRow> {
  await demand(deps, await viewerOf(deps, actor), 'identity.set', EVERYTHING);
  const pairing = await findById(deps.store.read, {
    table: 'identity_pairing',
    noun: 'pairing',
    text: input.id,
    isVisible: () => true,
  });
  const what = {
    verb: 'identity.set',
    target: EVERYTHING,
    action: 'identity.pair_deny',
    subject: pairing.id,
    data: { connector: pairing.connector, externalId: pairing.externalId },
  } as const;
  await change(deps, actor, what, (tx) => takePairing(deps, tx, pairing));
  return pairingRow(pairing);
}

function pairingRow(pairing: Pairing): PairingRow {
  return {
    id: pairing.id,
    connector: pairing.connector,
    external_id: pairing.externalId,
    display_name: pairing.displayName,
    created_at: toInstant(pairing.createdAt),
    expires_at: toInstant(pairing.expiresAt),
  };
}

function notWaiting(): AppError {
  return new AppError({
    code: 'identity.pairing.conflict',
    kind: 'conflict',
    message: 'This pairing was answered, replaced or is over since you looked. `pair list` shows who waits.',
  });
}

function linkedAlready(): AppError {
  return new AppError({
    code: 'identity.link.conflict',
    kind: 'conflict',
    message: 'This account is linked already. Unlink it first (`identity list`, `identity unlink`).',
  });
}

function noName(name: string): AppError {
  return new AppError({
    code: 'identity.name.invalid',
    kind: 'invalid',
    message: `"${oneLine(name, 60)}" cannot be a person's name: use 1 to 48 of a-z, 0-9 and hyphens inside.`,
  });
}
