import { X509Certificate } from 'node:crypto';
import { ADMIN_ROUTES, AppError, writeInput } from '@agent-runtime/domain';
import type { ClientKey } from '@agent-runtime/pki';
import { answerOf, signedClient } from './admin-client.ts';
import type { AdminClient } from './client.ts';
import type { Credentials, KeyStore } from './key-store.ts';
import { tlsLine } from './line.ts';

export interface TlsClientInput {
  readonly instanceId: string;
  readonly keys: KeyStore;
  nowMs(): number;
}

/**
 * The admin API over TLS, with the certificate of this machine: mutual TLS, and every request signed. Renews the certificate by itself
 * when two thirds of its life are over.
 * @throws AppError tui.enrol.missing (no key or certificate for that instance) · key.private.invalid · tui.credentials.invalid
 */
export async function tlsClient(input: TlsClientInput): Promise<AdminClient> {
  const { instanceId, keys } = input;
  const key = keys.load(instanceId);
  const credentials = keys.credentials(instanceId);
  if (key === undefined || credentials?.adminUrl === undefined) throw notEnrolled();
  const client = await connect(input, key, credentials);
  const renewed = await renewIfDue(input, client, key, credentials);
  return renewed === undefined ? client : connect(input, key, renewed);
}

async function connect(
  input: TlsClientInput,
  key: ClientKey,
  credentials: Credentials,
): Promise<AdminClient> {
  const { readCa, verifyServerCert } = await import('@agent-runtime/pki/certificate');
  const url = new URL(credentials.adminUrl ?? '');
  const roots = credentials.authorityPems.map((pem) => readCa(derOf(pem)));
  const line = tlsLine({
    url,
    certificatePem: credentials.certificatePem,
    keyPem: key.privateKey.export({ type: 'pkcs8', format: 'pem' }).toString(),
    roots,
    checkServer: (certDer, host) => void verifyServerCert({ certDer, roots, host, nowMs: input.nowMs() }),
  });
  const hello = ADMIN_ROUTES['hello.read'];
  const client = signedClient({
    line,
    authority: url.host,
    // It cannot be signed yet: the connection has proved both ends, and the runtime greets nobody else.
    greet: async () => {
      const { method, path } = writeInput(hello, {});
      return answerOf(line, 'hello.read', await line.open({ method, path, headers: {}, body: '' }));
    },
    key: async () => key,
    nowMs: () => input.nowMs(),
  });
  // Only the socket of the host takes requests unsigned; signed, they are welcome here too.
  return { ...client, callUnsigned: client.call, instanceId: async () => input.instanceId };
}

/** A renewal that fails is no reason to stop while the certificate is good: what comes next says so better. */
async function renewIfDue(
  input: TlsClientInput,
  client: AdminClient,
  key: ClientKey,
  credentials: Credentials,
): Promise<Credentials | undefined> {
  const { isDueForRenewal, makeCsr } = await import('@agent-runtime/pki/certificate');
  const { validFromDate, validToDate } = new X509Certificate(credentials.certificatePem);
  const life = { notBeforeMs: validFromDate.getTime(), notAfterMs: validToDate.getTime() };
  if (!isDueForRenewal(life, input.nowMs())) return undefined;
  try {
    const request = Buffer.from(makeCsr(key)).toString('base64url');
    const given = await client.call('certificate.renew', { request });
    const renewed: Credentials = {
      certificatePem: given.certificate,
      authorityPems: given.authorities,
      adminUrl: credentials.adminUrl,
    };
    input.keys.saveCredentials(input.instanceId, renewed);
    return renewed;
  } catch (thrown) {
    // While the old one is good it serves; the next start tries again.
    if (thrown instanceof AppError && input.nowMs() <= life.notAfterMs) return undefined;
    throw thrown;
  }
}

function derOf(pem: string): Uint8Array {
  return new Uint8Array(new X509Certificate(pem).raw);
}

function notEnrolled(): AppError {
  return new AppError({
    code: 'tui.enrol.missing',
    kind: 'missing',
    message:
      'This machine is not enrolled with a runtime elsewhere. Get an invite from its host (agent-runtime invite create), then: agent-runtime enrol --url U --invite CODE.',
  });
}
