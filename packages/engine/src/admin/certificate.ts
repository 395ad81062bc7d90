import {
  type AdminReply,
  AppError,
  type CaRow,
  type CertificateRow,
  type ClientCertificate,
  type StoreReader,
  toInstant,
  toInstantIf,
  type UserId,
} from '@agent-runtime/domain';
import type { Actor } from '../api.ts';
import { change, demand, EVERYTHING, viewerOf } from './authorize.ts';
import type { AdminDeps, AdminPart, IssuedCertificate, TrustedCa, WatchedCertificate } from './deps.ts';
import { missing, namesOf } from './find.ts';
import type { HeldRow } from './held.ts';
import { requireNotAbovePerson } from './people.ts';
import { revoke } from './revoke.ts';
import { REVOKED_TOPIC } from './watch.ts';

/** Client certificates: what opens the TLS door. A certificate is worth nothing without its key, which signs every request. */
export const CERTIFICATE: AdminPart<
  'certificate.list' | 'certificate.renew' | 'certificate.revoke' | 'certificate.rotate_ca'
> = {
  'certificate.list': async (deps, actor) => {
    await demand(deps, await viewerOf(deps, actor), 'identity.read', EVERYTHING);
    const nameOf = await namesOf(deps.store.read);
    const rows = await deps.store.read.find(
      'identity_certificate',
      {},
      { orderBy: 'createdAt', direction: 'desc' },
    );
    return {
      items: rows.map((row) => certificateRow(row, nameOf)),
      authorities: await caRows(deps),
      alarms: [...(await deps.authority.alarms(inUse(rows, nameOf), deps.clock.nowMs()))],
    };
  },
  'certificate.renew': renew,
  'certificate.revoke': revokeCertificate,
  'certificate.rotate_ca': async (deps, actor, { distrust_old: isDistrusted }) => {
    const nowMs = deps.clock.nowMs();
    const before = await currentCa(deps, nowMs);
    // Before it is on record: what will be refused must not be told as done.
    if (!isDistrusted && (await deps.authority.trusted(nowMs)).length > 1) throw rolloverNotOver();
    const what = {
      verb: 'identity.rotate_ca',
      target: EVERYTHING,
      action: 'identity.rotate_ca',
      subject: before.fingerprint,
      data: { distrustOld: isDistrusted },
    } as const;
    // On record before it happens; a file that cannot be written then leaves the old CA in place, and says so.
    await change(deps, actor, what, async () => undefined);
    await deps.authority.rotate({ nowMs: deps.clock.nowMs(), keepOld: !isDistrusted });
    // Open streams of the old CA's clients are looked at again now.
    if (isDistrusted) deps.live.publish({ topic: REVOKED_TOPIC, kind: 'distrusted', data: {} });
    const message = isDistrusted
      ? 'A new CA issues from now on. Every certificate of the old one is worthless: people enrol again.'
      : 'A new CA issues from now on. Clients change over by themselves when they renew.';
    return { ok: true, message, authorities: await caRows(deps) };
  },
};

/**
 * Over mTLS with a certificate that still counts; after its end only a new invite helps. The socket of the host vouches for a key
 * whose certificate is over, but never for one that somebody revoked.
 */
async function renew(
  deps: AdminDeps,
  actor: Actor,
  input: { readonly request: string },
): Promise<AdminReply<'certificate.renew'>> {
  const { proof } = actor;
  const proved = deps.keys.proveRequest(input.request);
  if (proof === undefined || proved.keyId !== proof.keyId) throw notByTls();
  const nowMs = deps.clock.nowMs();
  const certificate = actor.certificate ?? (await vouchedFor(deps, deps.store.read, proof.keyId)).id;
  const user = actor.principal.kind === 'user' ? actor.principal.user : undefined;
  if (user === undefined) throw notByTls();
  const issued = await deps.authority.issue({ publicKeyPem: proved.publicKeyPem, user, nowMs });
  const what = {
    verb: 'identity.renew',
    target: EVERYTHING,
    action: 'identity.renew',
    subject: issued.id,
    data: { user, key: proved.keyId, before: certificate },
  } as const;
  await change(deps, actor, what, async (tx) => {
    // A revocation that came in between stands before this in the log.
    const before = await tx.get('identity_certificate', { id: certificate });
    if (before === undefined || before.revokedAt !== undefined) throw notByTls();
    if (actor.certificate === undefined) await vouchedFor(deps, tx, proof.keyId);
    await tx.insert('identity_certificate', certificateOf(issued, proved.keyId, user));
  });
  return credentialsOf(deps, issued, nowMs);
}

/**
 * The newest certificate of a key that came over the socket.
 * @throws AppError identity.certificate.unauthenticated (one of them was revoked) · identity.renew.denied (none, or of a CA that is gone)
 */
async function vouchedFor(deps: AdminDeps, reader: StoreReader, key: string): Promise<ClientCertificate> {
  const rows = await reader.find(
    'identity_certificate',
    { key },
    { orderBy: 'createdAt', direction: 'desc' },
  );
  if (rows.some((row) => row.revokedAt !== undefined)) throw wasRevoked();
  const [newest] = rows;
  const trusted = await deps.authority.trusted(deps.clock.nowMs());
  if (newest !== undefined && trusted.some((ca) => ca.fingerprint === newest.issuer)) return newest;
  throw notByTls();
}

/** All certificates of its key: those of earlier renewals are good for a third of their life, and whoever is shut out must not use one. */
async function revokeCertificate(
  deps: AdminDeps,
  actor: Actor,
  input: { readonly id: string },
): Promise<CertificateRow> {
  await demand(deps, await viewerOf(deps, actor), 'identity.set', EVERYTHING);
  const row = await findCertificate(deps, input.id);
  const revokedAt = deps.clock.nowMs();
  const ofKey = { key: row.key, revokedAt: { isNull: true } } as const;
  const live = await (deps.held?.stored ?? deps.store.read).find('identity_certificate', ofKey);
  const what = {
    verb: 'identity.set',
    target: EVERYTHING,
    action: 'identity.revoke_certificate',
    subject: row.id,
    data: { user: row.user, key: row.key },
    principals: [row.user],
    holds: live.map(({ id }) => ({ table: 'identity_certificate' as const, id, change: { revokedAt } })),
  } as const;
  requireNotAbovePerson(await viewerOf(deps, actor), row.user);
  await revoke(deps, actor, what, async (tx, viewer) => {
    requireNotAbovePerson(viewer, row.user);
    if ((await tx.update('identity_certificate', ofKey, { revokedAt })) === 0) throw alreadyRevoked(row);
  });
  return certificateRow({ ...row, revokedAt }, await namesOf(deps.store.read));
}

async function findCertificate(deps: AdminDeps, id: string): Promise<ClientCertificate> {
  const fitting = (await deps.store.read.find('identity_certificate', {})).filter((row) =>
    row.id.startsWith(id.toLowerCase()),
  );
  const [only, ...more] = fitting;
  if (only === undefined) throw missing('certificate', id);
  if (more.length === 0) return only;
  throw new AppError({
    code: 'admin.id.conflict',
    kind: 'conflict',
    message: `"${id}" fits several certificates. Give more of the serial.`,
  });
}

/** Certificates that still count, as they read once they are revoked. */
export async function heldCertificates(
  reader: StoreReader,
  whose: { readonly key: string } | { readonly user: UserId },
  revokedAt: number,
): Promise<readonly HeldRow[]> {
  const rows = await reader.find('identity_certificate', { ...whose, revokedAt: { isNull: true } });
  return rows.map(({ id }) => ({ table: 'identity_certificate', id, change: { revokedAt } }));
}

/** The CA that issues. @throws AppError certificate.authority.unavailable */
export async function currentCa(deps: AdminDeps, nowMs: number): Promise<TrustedCa> {
  const current = (await deps.authority.trusted(nowMs)).find((ca) => ca.isCurrent);
  if (current !== undefined) return current;
  throw new AppError({
    code: 'identity.authority.unavailable',
    kind: 'unavailable',
    message: 'There is no CA that issues. Look at data/pki and the log, then restart.',
  });
}

/** The row of a fresh certificate. */
export function certificateOf(issued: IssuedCertificate, key: string, user: UserId): ClientCertificate {
  const { id, issuer, createdAt, expiresAt } = issued;
  return { id, key, user, issuer, createdAt, expiresAt };
}

/** What a client keeps of it. */
export async function credentialsOf(
  deps: AdminDeps,
  issued: IssuedCertificate,
  nowMs: number,
): Promise<AdminReply<'certificate.renew'>> {
  return {
    certificate: issued.pem,
    authorities: (await deps.authority.trusted(nowMs)).map((ca) => ca.pem),
    expires_at: toInstant(issued.expiresAt),
  };
}

/** The newest of each key: the others were renewed. */
function inUse(
  newestFirst: readonly ClientCertificate[],
  nameOf: (key: string) => string,
): readonly WatchedCertificate[] {
  const keys = new Set<string>();
  return newestFirst.flatMap((row) => {
    if (keys.has(row.key)) return [];
    keys.add(row.key);
    if (row.revokedAt !== undefined) return [];
    return [{ name: nameOf(row.user), createdAt: row.createdAt, expiresAt: row.expiresAt }];
  });
}

async function caRows(deps: AdminDeps): Promise<CaRow[]> {
  return (await deps.authority.trusted(deps.clock.nowMs())).map((ca) => ({
    fingerprint: ca.fingerprint,
    is_current: ca.isCurrent,
    expires_at: toInstant(ca.expiresAt),
  }));
}

function certificateRow(row: ClientCertificate, nameOf: (key: string) => string): CertificateRow {
  return {
    id: row.id,
    key_id: row.key,
    user: nameOf(row.user),
    issuer: row.issuer,
    created_at: toInstant(row.createdAt),
    expires_at: toInstant(row.expiresAt),
    revoked_at: toInstantIf(row.revokedAt),
  };
}

function rolloverNotOver(): AppError {
  return new AppError({
    code: 'certificate.rollover.conflict',
    kind: 'conflict',
    message:
      'The last rollover is not over: clients still change over. If the old CA is lost or stolen: cert rotate-ca --distrust-old.',
  });
}

function notByTls(): AppError {
  return new AppError({
    code: 'identity.renew.denied',
    kind: 'denied',
    message:
      'A certificate is renewed by its own key while its CA counts: over TLS before it is over, or on the host. Else enrol with a new invite.',
  });
}

function wasRevoked(): AppError {
  return new AppError({
    code: 'identity.certificate.unauthenticated',
    kind: 'unauthenticated',
    message:
      'The certificate of this machine was revoked and is not renewed. If that was a mistake, enrol again: agent-runtime enrol --force.',
  });
}

function alreadyRevoked(row: ClientCertificate): AppError {
  return new AppError({
    code: 'identity.certificate.conflict',
    kind: 'conflict',
    message: `The certificate ${row.id.slice(0, 12)}… was already revoked.`,
  });
}
