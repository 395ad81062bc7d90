import { AppError, type Context, type StoreTx, type User, type UserDetail } from '@agent-runtime/domain';
import type { Actor } from '../api.ts';
import { change, demand, EVERYTHING, viewerOf } from './authorize.ts';
import type { AdminDeps, AdminPart } from './deps.ts';
import { retireDirect } from './direct.ts';
import { endInvites } from './end-invites.ts';
import { findUser, missing } from './find.ts';
import { requireNotAbovePerson, requireOverlordLeft, userDetail, userRow } from './people.ts';
import { cutOff } from './watch.ts';

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
  const what = {
    verb: 'identity.set',
    target: EVERYTHING,
    action: 'identity.offboard',
    subject: user.id,
    data: { name: user.name },
  } as const;
  const { tokens, talks } = await change(deps, actor, what, async (tx, viewer) => {
    requireNotAbovePerson(viewer, user.id);
    await requireOverlordLeft(tx, { user: user.id });
    return takeEverything(tx, user, deps.clock.nowMs());
  });
  for (const key of [user.id, ...tokens]) await cutOff(deps, key);
  for (const talk of talks) await deps.configFiles.saveContext(talk);
  return userDetail(deps.store.read, { ...user, isActive: false });
}

/** @returns ids of the tokens that ended, and the direct talks that are nobody's place any more */
async function takeEverything(
  tx: StoreTx,
  user: User,
  nowMs: number,
): Promise<{ readonly tokens: readonly string[]; readonly talks: readonly Context[] }> {
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
  const talks = await retireDirect(tx, { directWith: user.id });
  return { tokens: tokens.map((token) => token.id), talks };
}

/** Short names are unique, also those of people who left. */
export function nameTaken(name: string): AppError {
  return new AppError({
    code: 'identity.name.conflict',
    kind: 'conflict',
    message: `There is already a user "${name}".`,
  });
}
