import type { IncomingMessage } from 'node:http';
import { request } from 'node:https';
import type { UserId } from '@agent-runtime/domain';
import type { ClientKey } from '@agent-runtime/pki';
import { issueClientCert, issueProxyCert, newCa } from '@agent-runtime/pki/certificate';
import { type Listener, serveTls } from '../system/listener.ts';
import { AUTHORITY, type DoorWorld, requestOf, type Sent } from './admin.fixture.ts';

/** A client at the other end of a TLS connection. */
export interface Peer {
  readonly certPem?: string | undefined;
  readonly keyPem?: string | undefined;
}

export interface TlsAnswer {
  readonly status: number;
  readonly code: string;
  readonly text: string;
}

export const INSTANCE = 'instance-1';

/** The door behind the product's own TLS listener. */
export function listenTls(door: DoorWorld): Promise<Listener> {
  return serveTls(
    (incoming, env) => door.app.fetch(incoming, env),
    { ...door.ca.server(), clientCaPem: door.ca.rootPems().join('') },
    { host: '127.0.0.1', port: 0 },
    'TEST',
  );
}

/** Gives somebody a certificate of the door's own CA, with its row, as enrolment does. */
export async function certified(
  door: DoorWorld,
  key: ClientKey,
  user: UserId,
): Promise<Peer & { readonly serial: string; readonly der: Uint8Array }> {
  const publicKeyPem = key.publicKey.export({ type: 'spki', format: 'pem' }).toString();
  const made = await door.ca.issue({ publicKeyPem, user, nowMs: door.clock.nowMs() });
  await door.opened.store.commit({ action: 'test.change', actor: 'test', subject: 'x' }, async (tx) =>
    tx.insert('identity_certificate', {
      id: made.id,
      key: key.keyId,
      user,
      issuer: made.issuer,
      createdAt: made.createdAt,
      expiresAt: made.expiresAt,
    }),
  );
  return { certPem: made.pem, keyPem: pemOf(key), serial: made.id, der: derOf(made.pem) };
}

/** A CA of nobody's, and what it gives out. */
export async function foreign(
  key: ClientKey,
  user: UserId,
  nowMs: number,
): Promise<{ readonly client: Peer; readonly proxy: Peer }> {
  const ca = await newCa({ commonName: 'agent-runtime 2026-11-21', nowMs });
  const input = { ca, publicKey: key.publicKey, nowMs };
  const client = issueClientCert({ ...input, subject: { instanceId: INSTANCE, userId: user } });
  const proxy = issueProxyCert({ ...input, instanceId: INSTANCE });
  return {
    client: { certPem: client.pem, keyPem: pemOf(key) },
    proxy: { certPem: proxy.pem, keyPem: pemOf(key) },
  };
}

/** Sends a request of the table over TLS. @throws Error of the handshake */
export async function over(
  url: string,
  peer: Peer,
  sent: Request,
  headers: Readonly<Record<string, string>> = {},
): Promise<TlsAnswer> {
  const { pathname, search } = new URL(sent.url);
  const body = await sent.text();
  const response = await open(url, peer, {
    method: sent.method,
    path: pathname + search,
    headers: { ...Object.fromEntries(sent.headers), ...headers },
    body,
  });
  let text = '';
  for await (const part of response) text += String(part);
  return { status: response.statusCode ?? 0, code: codeOf(text), text };
}

/** The answer once its headers are there. */
export function open(
  url: string,
  peer: Peer,
  input: {
    readonly method: string;
    readonly path: string;
    readonly headers: Readonly<Record<string, string>>;
    readonly body: string;
  },
): Promise<IncomingMessage> {
  return new Promise((resolve, reject) => {
    const outgoing = request(
      new URL(input.path, url),
      {
        method: input.method,
        headers: { ...input.headers, 'content-length': String(Buffer.byteLength(input.body)) },
        cert: peer.certPem,
        key: peer.keyPem,
        // These tests are about what the server believes; what clients believe is tested with the clients.
        rejectUnauthorized: false,
        agent: false,
      },
      resolve,
    );
    outgoing.once('error', reject);
    outgoing.end(input.body);
  });
}

/** A signed `whoami` for the listener. */
export function signedFor(door: DoorWorld, how: Sent = {}): Request {
  return requestOf(door, 'identity.whoami', {}, { authority: AUTHORITY, ...how });
}

export function pemOf(key: ClientKey): string {
  return key.privateKey.export({ type: 'pkcs8', format: 'pem' }).toString();
}

export function derOf(pem: string): Uint8Array {
  return new Uint8Array(Buffer.from(pem.replace(/-----[^-]+-----|\s/g, ''), 'base64'));
}

function codeOf(text: string): string {
  try {
    const body = JSON.parse(text) as { readonly error?: { readonly code?: string } }; // safe: optional all the way
    return body.error?.code ?? '';
  } catch {
    return 'no json';
  }
}
