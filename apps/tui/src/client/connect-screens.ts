import { X509Certificate } from 'node:crypto';
import { AppError } from '@agent-runtime/domain';
import type { SocketClient } from './admin-client.ts';
import type { AdminClient } from './client.ts';
import { connect, type Remote } from './connect.ts';
import { type KeyStore, keyStore } from './key-store.ts';

/**
 * As `connect`, but over TLS also on the machine of the runtime: the local socket vouches once for this person's key, and from then on the
 * screens speak to the same door as everybody. A certificate that is over is renewed over the socket. Where TLS does not come about the socket
 * has to do, and the client says so in its `notice`; for a key or certificate that was revoked there is no second door.
 * @throws AppError those of `connect` and of an enrolment · identity.certificate.unauthenticated (revoked)
 */
export async function connectScreens(remote: Remote): Promise<AdminClient> {
  const near = await connect(remote);
  if (!isLocal(near)) return near;
  const keys = keyStore(remote.configDir, remote.passphrase);
  const { instance_id: instanceId } = await near.hello();
  if (!(await near.hasKey())) await near.enrol({});
  if (keys.credentials(instanceId)?.adminUrl === undefined) return near;
  const place: Place = { near, keys, instanceId, nowMs: () => remote.nowMs() };
  try {
    return await overTls(place);
  } catch (thrown) {
    const refusal = passing(thrown);
    if (!isForUs(refusal, place)) return { ...near, notice: noticeOf(refusal) };
  }
  try {
    await renewNear(place);
    return await overTls(place);
  } catch (thrown) {
    return { ...near, notice: noticeOf(passing(thrown)) };
  }
}

interface Place {
  readonly near: SocketClient;
  readonly keys: KeyStore;
  readonly instanceId: string;
  nowMs(): number;
}

async function overTls({ keys, instanceId, nowMs }: Place): Promise<AdminClient> {
  const { tlsClient } = await import('./tls-client.ts');
  const client = await tlsClient({ instanceId, keys, nowMs });
  await client.call('hello.read', {});
  return client;
}

/** The runtime looks whether certificate or key were revoked; this machine cannot know. */
async function renewNear({ near, keys, instanceId }: Place): Promise<void> {
  const { makeCsr } = await import('@agent-runtime/pki/certificate');
  const key = keys.load(instanceId);
  const credentials = keys.credentials(instanceId);
  if (key === undefined || credentials === undefined) return;
  const request = Buffer.from(makeCsr(key)).toString('base64url');
  const given = await near.call('certificate.renew', { request });
  keys.saveCredentials(instanceId, {
    certificatePem: given.certificate,
    authorityPems: given.authorities,
    adminUrl: credentials.adminUrl,
  });
}

/** Was it this machine's certificate that was not taken? Then the socket may help, or tells that it was revoked. */
function isForUs(refusal: AppError, { keys, instanceId, nowMs }: Place): boolean {
  if (refusal.code !== NOT_THEY && refusal.kind === 'unauthenticated') return true;
  // In TLS 1.3 some servers only hang up on a certificate that they do not take.
  if (refusal.cause instanceof Error && 'code' in refusal.cause && refusal.cause.code === 'ECONNRESET')
    return true;
  const { certificatePem = '' } = keys.credentials(instanceId) ?? {};
  return new X509Certificate(certificatePem).validToDate.getTime() < nowMs();
}

/** The server is not the one that we enrolled with. */
const NOT_THEY = 'tui.server.unauthenticated';
/** The runtime itself said, over the socket, that it takes nothing from us. */
const REVOKED: ReadonlySet<string> = new Set([
  'identity.certificate.unauthenticated',
  'identity.key.unauthenticated',
  'signature.key.unauthenticated',
  'admin.key.unauthenticated',
]);

/** What the socket may stand in for. @throws what it must not: revocations, and what is no refusal at all */
function passing(thrown: unknown): AppError {
  if (thrown instanceof AppError && !REVOKED.has(thrown.code) && STANDS_IN.has(thrown.kind)) return thrown;
  throw thrown;
}

const STANDS_IN: ReadonlySet<AppError['kind']> = new Set(['unavailable', 'unauthenticated', 'denied']);

/** One line of the screens, 78 columns. */
function noticeOf(refusal: AppError): string {
  const here = "over this machine's socket";
  if (refusal.kind === 'unavailable') return `nobody answers with TLS: ${here}`;
  const what =
    refusal.code === NOT_THEY ? "TLS: the server's certificate is not trusted" : 'certificate refused';
  return `${what}: ${here}; agent-runtime enrol --force`;
}

function isLocal(client: AdminClient): client is SocketClient {
  return 'enrol' in client && 'hasKey' in client;
}
