import {
  AppError,
  type Context,
  type StoreReader,
  type StoreTx,
  type User,
  type UserDetail,
} from '@agent-runtime/domain';
import type { Actor } from '../api.ts';
import { change, demand, EVERYTHING, type Viewer, viewerOf } from './authorize.ts';
import { heldCertificates } from './certificate.ts';
import type { AdminDeps, AdminPart } from './deps.ts';
import { heldTalks, retireDirect } from './direct.ts';
import { endInvites, heldInvites } from './end-invites.ts';
import { findUser, missing } from './find.ts';
import type { HeldRow } from './held.ts';
import { heldGrants, requireNotAbovePerson, requireOverlordLeft, userDetail, userRow } from './people.ts';
import { revoke } from './revoke.ts';

/** People. A new one has no role; a person who leaves loses everything in one commit. */
export const USER: AdminPart<'user.list' | 'user.show' | 'user.add' | 'user.offboard' | 'identity.whoami'> = {
  'user.list': async (deps, actor) => {
    await demand(deps, await viewerOf(deps, actor), 'identity.read', EVERYTHING);
    return { items: (await deps.store.read.find('identity_user', {}, { orderBy: 'name' })).map(userRow) };
  },
  'user.show': async (deps, actor, { id }) => {
    await demand(deps, await viewerOf(deps, actor), 'identity.read', EVERYTHING);
    return userDetail(deps.store.read, await findUser(deps.store.read, id));
  },
  'user.add': async (deps, actor, input) => {
    const user: User = {
      id: deps.ids.make('user'),
      name: input.name,
      displayName: input.display_name ?? input.name,
      isActive: true,
      createdAt: deps.clock.nowMs(),
    };
    const what = {
      verb: 'identity.set',
      target: EVERYTHING,
      action: 'identity.add',
      subject: user.id,
      data: { name: user.name },
    } as const;
    await change(deps, actor, what, async (tx) => {
      if ((await tx.get('identity_user', { name: user.name })) !== undefined) throw nameTaken(user.name);
      await tx.insert('identity_user', user);
    });
    return userRow(user);
  },
  'user.offboard': offboard,
  'identity.whoami': async (deps, actor) => {
    const { person } = await viewerOf(deps, actor);
    const user =
      person === undefined ? undefined : await deps.store.read.get('identity_user', { id: person });
    if (user === undefined || actor.via !== 'signed') throw missing('user', person ?? '');
    return userDetail(deps.store.read, user);
  },
};

async function offboard(deps: AdminDeps, actor: Actor, input: { readonly id: string }): Promise<UserDetail> {
  await demand(deps, await viewerOf(deps, actor), 'identity.set', EVERYTHING);
  const user = await findUser(deps.store.read, input.id);
  const { read } = deps.store;
  const nowMs = deps.clock.nowMs();
  const tokens = await read.find('identity_token', { owner: user.id });
  const what = {
    verb: 'identity.set',
    target: EVERYTHING,
    action: 'identity.offboard',
    subject: user.id,
    data: { name: user.name },
    principals: [user.id, ...tokens.map((token) => token.id)],
    holds: await heldEverything(read, user, nowMs),
  } as const;
  const assertMayTake = async (reader: StoreReader, viewer: Viewer): Promise<void> => {
    requireNotAbovePerson(viewer, user.id);
    await requireOverlordLeft(reader, { user: user.id });
  };
  await assertMayTake(read, await viewerOf(deps, actor));
  const talks = await revoke(deps, actor, what, async (tx, viewer) => {
    await assertMayTake(tx, viewer);
    return takeEverything(tx, user, nowMs);
  });
  for (const talk of talks) await deps.configFiles.saveContext(talk);
  return userDetail(deps.store.read, { ...user, isActive: false });
}

/** @returns the direct talks that are nobody's place any more */
async function takeEverything(tx: StoreTx, user: User, nowMs: number): Promise<readonly Context[]> {
  await tx.update('identity_user', { id: user.id }, { isActive: false });
  await tx.remove('identity_grant', { principal: user.id });
  await tx.remove('identity_link', { user: user.id });
  await tx.remove('hub', { askedBy: user.id, state: 'asked' });
  await endInvites(tx);
  await tx.update('identity_key', { user: user.id, revokedAt: { isNull: true } }, { revokedAt: nowMs });
  await tx.update(
    'identity_certificate',
    { user: user.id, revokedAt: { isNull: true } },
    { revokedAt: nowMs },
  );
  const tokens = await tx.find('identity_token', { owner: user.id });
  await tx.update('identity_token', { owner: user.id, revokedAt: { isNull: true } }, { revokedAt: nowMs });
  for (const token of tokens) await tx.remove('identity_grant', { principal: token.id });
  return retireDirect(tx, { directWith: user.id });
}

/** The same where nothing can be written. */
async function heldEverything(
  reader: StoreReader,
  user: User,
  revokedAt: number,
): Promise<readonly HeldRow[]> {
  const owned = { user: user.id };
  const links = await reader.find('identity_link', owned);
  const keys = await reader.find('identity_key', { ...owned, revokedAt: { isNull: true } });
  const tokens = await reader.find('identity_token', { owner: user.id });
  const holders = [user.id, ...tokens.map((token) => token.id)];
  return [
    { table: 'identity_user', id: user.id, change: { isActive: false } },
    ...(await Promise.all(holders.map((holder) => heldGrants(reader, holder)))).flat(),
    ...links.map(({ id }) => ({ table: 'identity_link', id, change: 'gone' }) as const),
    ...(await heldInvites(reader)),
    ...keys.map(({ id }) => ({ table: 'identity_key', id, change: { revokedAt } }) as const),
    ...(await heldCertificates(reader, owned, revokedAt)),
    ...tokens
      .filter((token) => token.revokedAt === undefined)
      .map(({ id }) => ({ table: 'identity_token', id, change: { revokedAt } }) as const),
    ...(await heldTalks(reader, { directWith: user.id })),
  ];
}

/** Short names are unique, also those of people who left. */
export function nameTaken(name: string): AppError {
  return new AppError({
    code: 'identity.name.conflict',
    kind: 'conflict',
    message: `There is already a user "${name}".`,
  });
}
