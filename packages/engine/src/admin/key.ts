import { AppError, type ClientKey, type KeyRow } from '@agent-runtime/domain';
import type { Actor } from '../api.ts';
import { demand, EVERYTHING, viewerOf } from './authorize.ts';
import { heldCertificates } from './certificate.ts';
import type { AdminDeps, AdminPart } from './deps.ts';
import { heldTalks, retireDirect } from './direct.ts';
import { endInvites, heldInvites } from './end-invites.ts';
import { findUser, missing, namesOf } from './find.ts';
import { identityRow, keyRow, requireNotAbovePerson } from './people.ts';
import { revoke } from './revoke.ts';

/** What people sign in with: client keys and linked outside accounts. Both end at once. */
export const KEY: AdminPart<'key.list' | 'key.revoke' | 'identity.list' | 'identity.unlink'> = {
  'key.list': async (deps, actor) => {
    await demand(deps, await viewerOf(deps, actor), 'identity.read', EVERYTHING);
    const nameOf = await namesOf(deps.store.read);
    const keys = await deps.store.read.find('identity_key', {}, { orderBy: 'createdAt', direction: 'desc' });
    return { items: keys.map((key) => keyRow(key, nameOf)) };
  },
  'key.revoke': revokeKey,
  'identity.list': async (deps, actor, { user }) => {
    await demand(deps, await viewerOf(deps, actor), 'identity.read', EVERYTHING);
    const { read } = deps.store;
    const nameOf = await namesOf(read);
    const where = user === undefined ? {} : { user: (await findUser(read, user)).id };
    const links = await read.find('identity_link', where, { orderBy: 'createdAt' });
    return { items: links.map((link) => identityRow(link, nameOf)) };
  },
  'identity.unlink': async (deps, actor, { id }) => {
    await demand(deps, await viewerOf(deps, actor), 'identity.set', EVERYTHING);
    const stored = deps.held?.stored ?? deps.store.read;
    const [link, ...others] = (await stored.find('identity_link', {})).filter((row) => row.id.startsWith(id));
    if (link === undefined) throw missing('identity', id);
    if (others.length > 0) throw severalFit(id, [link.id, ...others.map((row) => row.id)]);
    const what = {
      verb: 'identity.set',
      target: EVERYTHING,
      action: 'identity.unlink',
      subject: link.id,
      data: { user: link.user, connector: link.connector, externalId: link.externalId },
      principals: [link.user],
      holds: [
        { table: 'identity_link', id: link.id, change: 'gone' },
        ...(await heldTalks(stored, { id: link.context })),
      ],
    } as const;
    requireNotAbovePerson(await viewerOf(deps, actor), link.user);
    const talks = await revoke(deps, actor, what, async (tx, viewer) => {
      requireNotAbovePerson(viewer, link.user);
      if ((await tx.remove('identity_link', { id: link.id })) === 0) throw missing('identity', id);
      await tx.remove('hub', { connector: link.connector, askedBy: link.user, state: 'asked' });
      return retireDirect(tx, { id: link.context });
    });
    for (const talk of talks) await deps.configFiles.saveContext(talk);
    return identityRow(link, await namesOf(deps.store.read));
  },
};

async function revokeKey(deps: AdminDeps, actor: Actor, input: { readonly id: string }): Promise<KeyRow> {
  await demand(deps, await viewerOf(deps, actor), 'identity.set', EVERYTHING);
  const key = await findKey(deps, input.id);
  const revokedAt = deps.clock.nowMs();
  const what = {
    verb: 'identity.set',
    target: EVERYTHING,
    action: 'identity.revoke_key',
    subject: key.id,
    data: { user: key.user, name: key.name },
    principals: [key.user],
    holds: [
      { table: 'identity_key', id: key.id, change: { revokedAt } },
      ...(await heldCertificates(deps.store.read, { key: key.id }, revokedAt)),
      ...(await heldInvites(deps.store.read)),
    ],
  } as const;
  // Also before, for a disk that refuses even to begin: what is held was permitted.
  requireNotAbovePerson(await viewerOf(deps, actor), key.user);
  await revoke(deps, actor, what, async (tx, viewer) => {
    requireNotAbovePerson(viewer, key.user);
    const changed = await tx.update(
      'identity_key',
      { id: key.id, revokedAt: { isNull: true } },
      { revokedAt },
    );
    if (changed === 0) throw alreadyRevoked(key);
    await tx.update('identity_certificate', { key: key.id, revokedAt: { isNull: true } }, { revokedAt });
    await endInvites(tx);
  });
  return keyRow({ ...key, revokedAt }, await namesOf(deps.store.read));
}

async function findKey(deps: AdminDeps, id: string): Promise<ClientKey> {
  const keys = (await deps.store.read.find('identity_key', {})).filter((key) => key.id.startsWith(id));
  const [only, ...more] = keys;
  if (only === undefined) throw missing('key', id);
  if (more.length === 0) return only;
  throw severalFit(
    id,
    keys.map((key) => key.id),
  );
}

function severalFit(id: string, ids: readonly string[]): AppError {
  return new AppError({
    code: 'admin.id.conflict',
    kind: 'conflict',
    message: `"${id}" fits several: ${ids.slice(0, 5).join(', ')}. Give more of the id.`,
  });
}

function alreadyRevoked(key: ClientKey): AppError {
  return new AppError({
    code: 'identity.key.conflict',
    kind: 'conflict',
    message: `The key ${key.id.slice(0, 12)}… was already revoked.`,
  });
}
