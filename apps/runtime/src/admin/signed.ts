import { type AdminRoute, AppError, MAX_BODY_BYTES } from '@agent-runtime/domain';
import type { Actor } from '@agent-runtime/engine';
import { type NonceCache, SOCKET_AUTHORITY, type VerifiedRequest, verifyRequest } from '@agent-runtime/pki';
import type { VerifiedClientCert } from '@agent-runtime/pki/certificate';
import type { Context } from 'hono';
import { readBody } from '../system/read-body.ts';
import { clientCertificate, isCertificateGood } from './certificate-check.ts';
import type { AdminAppInput } from './deps.ts';
import { publicKeyOf } from './key-check.ts';

/** Who is at the other end of the socket without a signature: the host, nobody in particular. */
const LOCAL: Actor = { principal: { kind: 'guest', connector: 'socket', sender: 'local' }, via: 'socket' };

/** Who greets on the network: a certificate alone is nobody yet. */
const GREETER: Actor = {
  principal: { kind: 'guest', connector: 'network', sender: 'greeter' },
  via: 'network',
};

/** A request with who sent it. */
export interface KnownRequest {
  readonly actor: Actor;
  readonly body: Uint8Array;
  /** With which certificate the connection was opened; undefined on the socket. */
  readonly certificate?: VerifiedClientCert | undefined;
}

/**
 * Finds out who sends a request. A signature is always checked when there is one; without one only the routes that the table names
 * pass, and only on the socket. On the network there must be a good client certificate as well, and the signature must be of its key.
 * @throws AppError kind unauthenticated, see packages/pki signature and `clientCertificate`
 */
export async function authenticate(
  input: AdminAppInput,
  nonces: NonceCache,
  c: Context,
  route: Pick<AdminRoute, 'unsigned' | 'isGreeting'>,
): Promise<KnownRequest> {
  const { transport } = input;
  const certificate = transport.kind === 'network' ? await clientCertificate(input, transport, c) : undefined;
  const body = await readBody(c.req.raw, tooLarge);
  const mayBeUnsigned = transport.kind === 'socket' ? route.unsigned === true : route.isGreeting === true;
  if (mayBeUnsigned && !isSigned(c)) {
    return { actor: transport.kind === 'socket' ? LOCAL : GREETER, body, certificate };
  }
  const { parts } = input;
  const url = rawUrl(c);
  const mark = url.indexOf('?');
  const verified = await verifyRequest({
    method: c.req.method,
    path: mark < 0 ? url : url.slice(0, mark),
    query: mark < 0 ? '' : url.slice(mark),
    authority: transport.kind === 'socket' ? SOCKET_AUTHORITY : transport.authority(),
    headers: Object.fromEntries(c.req.raw.headers),
    body,
    bootId: parts.about.bootId,
    nowMs: parts.clock.nowMs(),
    nonces,
    lookupKey: async (keyId) => {
      // The key of somebody else behind this connection's certificate is nobody's.
      if (certificate !== undefined && certificate.keyId !== keyId) return undefined;
      const user = await activeOwner(input, keyId);
      return user === undefined ? undefined : publicKeyOf(user.publicKeyPem);
    },
  });
  return { actor: await actorOf(input, verified, certificate), body, certificate };
}

/** True while key and certificate of a request are good: asked again while a stream is open. */
export async function isStillKnown(
  input: AdminAppInput,
  { actor, certificate }: Pick<KnownRequest, 'actor' | 'certificate'>,
): Promise<boolean> {
  const { transport } = input;
  if (actor.via === 'socket') return true;
  if (transport.kind === 'network') {
    if (certificate === undefined || !(await isCertificateGood(input, transport, certificate))) return false;
  }
  return actor.proof !== undefined && (await activeOwner(input, actor.proof.keyId)) !== undefined;
}

function isSigned(c: Context): boolean {
  return c.req.header('signature') !== undefined || c.req.header('signature-input') !== undefined;
}

/** Looked up by every request, so that a revoked key or a person who left is out at once. */
async function activeOwner(
  input: AdminAppInput,
  keyId: string,
): Promise<{ readonly user: string; readonly publicKeyPem: string } | undefined> {
  const { read } = input.parts.store;
  const key = await read.get('identity_key', { id: keyId });
  if (key === undefined || key.revokedAt !== undefined) return undefined;
  const user = await read.get('identity_user', { id: key.user });
  return user?.isActive === true ? key : undefined;
}

async function actorOf(
  input: AdminAppInput,
  verified: VerifiedRequest,
  certificate: VerifiedClientCert | undefined,
): Promise<Actor> {
  const key = await input.parts.store.read.get('identity_key', { id: verified.keyId });
  if (key === undefined) throw goneMeanwhile();
  return {
    principal: { kind: 'user', user: key.user },
    via: 'signed',
    certificate: certificate?.serial,
    proof: {
      keyId: verified.keyId,
      signature: Buffer.from(verified.signature).toString('base64'),
      signed: Buffer.from(verified.signatureBase).toString('utf8'),
    },
  };
}

function goneMeanwhile(): AppError {
  return new AppError({
    code: 'admin.key.unauthenticated',
    kind: 'unauthenticated',
    message: 'The key of this client was revoked. Enrol it again (agent-runtime enrol).',
  });
}

function tooLarge(): AppError {
  return new AppError({
    code: 'admin.body.invalid',
    kind: 'invalid',
    message: `The body is larger than ${MAX_BODY_BYTES} bytes.`,
  });
}

/** Path and query as they came over the wire; a tidied URL could differ from what was signed. */
function rawUrl(c: Context): string {
  const incoming: unknown = (c.env as { readonly incoming?: { readonly url?: unknown } } | undefined)
    ?.incoming?.url; // safe: read as unknown
  if (typeof incoming === 'string' && incoming.startsWith('/')) return incoming;
  const url = new URL(c.req.url);
  return url.pathname + url.search;
}
