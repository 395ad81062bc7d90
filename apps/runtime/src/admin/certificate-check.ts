import { TLSSocket } from 'node:tls';
import { AppError } from '@agent-runtime/domain';
import type { VerifiedClientCert } from '@agent-runtime/pki/certificate';
import type { Context } from 'hono';
import type { AdminAppInput, Transport } from './deps.ts';

type Network = Extract<Transport, { readonly kind: 'network' }>;

/** Carries the client's certificate from Caddy to here, base64 of DER. Nobody else's word counts. */
export const CERTIFICATE_HEADER = 'x-agent-runtime-client-certificate';

/**
 * The certificate with which a request comes, checked without trust in whoever ended the TLS connection: signed by our CA,
 * byte for byte of our profile, in its dates, given out by this instance and not revoked.
 * @throws AppError admin.certificate.unauthenticated
 */
export async function clientCertificate(
  input: AdminAppInput,
  transport: Network,
  c: Context,
): Promise<VerifiedClientCert> {
  const shown = shownCertificate(transport, c);
  const verified = attempt(() => transport.ca.verifyClient(shown));
  if (!(await isCertificateGood(input, transport, verified))) throw refused('revoked or never given out');
  return verified;
}

/** Asked by every request, and again while a stream is open. */
export async function isCertificateGood(
  input: AdminAppInput,
  transport: Network,
  certificate: VerifiedClientCert,
): Promise<boolean> {
  const { store, clock } = input.parts;
  const row = await store.read.get('identity_certificate', { id: certificate.serial });
  if (row === undefined || row.revokedAt !== undefined) return false;
  if (row.key !== certificate.keyId || row.user !== certificate.userId) return false;
  const nowMs = clock.nowMs();
  return (
    nowMs <= certificate.notAfterMs &&
    transport.ca.trusted(nowMs).some((ca) => ca.fingerprint === certificate.caFingerprint)
  );
}

function shownCertificate(transport: Network, c: Context): Uint8Array {
  const peer = peerOf(c);
  if (transport.hop === 'direct') return peer;
  attempt(() => transport.ca.verifyProxy(peer));
  const header = c.req.header(CERTIFICATE_HEADER) ?? '';
  // Two headers of one name arrive joined by a comma, which is no base64.
  if (!/^[A-Za-z0-9+/]{1,8000}={0,2}$/.test(header)) throw refused('no certificate in the header');
  return new Uint8Array(Buffer.from(header, 'base64'));
}

/** What the other end of the TLS connection showed, byte for byte. */
function peerOf(c: Context): Uint8Array {
  const { incoming } = (c.env ?? {}) as { readonly incoming?: { readonly socket?: unknown } }; // safe: read as unknown
  const socket = incoming?.socket;
  const raw = socket instanceof TLSSocket ? socket.getPeerX509Certificate()?.raw : undefined;
  if (raw === undefined) throw refused('no certificate on the connection');
  return new Uint8Array(raw);
}

function attempt<T>(check: () => T): T {
  try {
    return check();
  } catch (cause) {
    throw refused(cause instanceof AppError ? String(cause.detail ?? cause.code) : 'unreadable', cause);
  }
}

function refused(detail: string, cause?: unknown): AppError {
  return new AppError({
    code: 'admin.certificate.unauthenticated',
    kind: 'unauthenticated',
    message:
      'The client certificate is not one of this runtime, or it is over or revoked. Enrol again: agent-runtime enrol --url U --invite CODE (an invite comes from the host: agent-runtime invite create).',
    detail,
    cause,
  });
}
