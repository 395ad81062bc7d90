import type { KeyObject } from 'node:crypto';
import { isIP } from 'node:net';
import { AppError, parseId, type UserId } from '@agent-runtime/domain';
import { notAfterOf, writeBody } from './body.ts';
import { type Ca, type Fingerprint, newSerial, startOf } from './ca.ts';
import { signBody } from './envelope.ts';
import { certificatePem } from './pem.ts';
import type { Profile, ServerNames } from './profile.ts';

/** A certificate just made, with what the caller keeps about it. */
export interface Issued {
  readonly der: Uint8Array;
  readonly pem: string;
  /** 32 hex digits, random. */
  readonly serial: string;
  readonly notBeforeMs: number;
  readonly notAfterMs: number;
  readonly caFingerprint: Fingerprint;
}

/** What every issue needs: the CA that signs, the key to certify (RSA-3072, see the key room), the time. */
export interface IssueInput {
  readonly ca: Ca;
  readonly publicKey: KeyObject;
  readonly nowMs: number;
}

const INSTANCE = /^[A-Za-z0-9_-]{1,80}$/;
// Labels of letters, digits and inner hyphens. No wildcard: a server knows its names.
const DNS_NAME =
  /^(?=.{1,253}$)[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?(?:\.[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?)*$/;
const MAX_NAMES = 16;

/**
 * A person's certificate for one client key, good for 30 days. It may do nothing but authenticate a client.
 * @throws AppError base.id.invalid, certificate.instance.invalid, key.shape.invalid, certificate.ca.conflict (the CA is over)
 */
export function issueClientCert(
  input: IssueInput & { readonly subject: { readonly instanceId: string; readonly userId: UserId } },
): Issued {
  return issue(clientProfile(input.subject), input);
}

/**
 * The certificate by which the proxy authenticates its hop to the runtime, good for 90 days. Never a person's.
 * @throws AppError as `issueClientCert`
 */
export function issueProxyCert(input: IssueInput & { readonly instanceId: string }): Issued {
  return issue(proxyProfile(input.instanceId), input);
}

/**
 * The certificate of the admin listener, good for 90 days.
 * @param input.dnsNames lower case, no wildcards. At least one name or address, at most 16 together.
 * @param input.ipAddresses as text, IPv4 or IPv6
 * @throws AppError certificate.host.invalid, key.shape.invalid, certificate.ca.conflict
 */
export function issueServerCert(
  input: IssueInput & { readonly dnsNames: readonly string[]; readonly ipAddresses: readonly string[] },
): Issued {
  const names = { dns: input.dnsNames, ip: input.ipAddresses.map(addressBytes) };
  return issue(serverProfile(names), input);
}

/** @throws AppError base.id.invalid, certificate.instance.invalid */
export function clientProfile(subject: { readonly instanceId: string; readonly userId: string }): Profile {
  const userId = parseId('user', subject.userId);
  return { kind: 'client', instanceId: requireInstance(subject.instanceId), userId };
}

/** @throws AppError certificate.instance.invalid */
export function proxyProfile(instanceId: string): Profile {
  return { kind: 'proxy', instanceId: requireInstance(instanceId) };
}

/** @throws AppError certificate.host.invalid */
export function serverProfile(names: ServerNames): Profile {
  const { dns, ip } = names;
  const count = dns.length + ip.length;
  const isUsable =
    dns.every((name) => DNS_NAME.test(name)) && ip.every(({ length }) => length === 4 || length === 16);
  if (isUsable && count >= 1 && count <= MAX_NAMES) return { kind: 'server', names };
  throw invalidHost();
}

/** The bytes of an address, 4 or 16. @throws AppError certificate.host.invalid */
export function addressBytes(text: string): Uint8Array {
  if (isIP(text) === 4) return Uint8Array.from(text.split('.'), Number);
  if (isIP(text) !== 6 || text.includes('%')) throw invalidHost();
  // The URL parser writes every spelling of an IPv6 address in one way, without dotted parts.
  const [head = '', tail] = new URL(`http://[${text}]`).hostname.slice(1, -1).split('::');
  const groupsOf = (part: string): readonly string[] => part.split(':').filter((group) => group !== '');
  const left = groupsOf(head);
  const right = groupsOf(tail ?? '');
  const zeros = Array.from({ length: 8 - left.length - right.length }, () => '0');
  return Uint8Array.from(
    Buffer.from([...left, ...zeros, ...right].map((g) => g.padStart(4, '0')).join(''), 'hex'),
  );
}

function issue(profile: Profile, { ca, publicKey, nowMs }: IssueInput): Issued {
  const issuer = ca.cert;
  const notBeforeMs = startOf(nowMs);
  if (!(nowMs <= issuer.notAfterMs)) throw caIsOver();
  const serial = newSerial();
  const der = signBody(writeBody(profile, { serial, publicKey, notBeforeMs }, issuer), ca.privateKey);
  return {
    der,
    pem: certificatePem(der),
    serial: Buffer.from(serial).toString('hex'),
    notBeforeMs,
    notAfterMs: notAfterOf(profile, notBeforeMs, issuer.notAfterMs),
    caFingerprint: issuer.fingerprint,
  };
}

function requireInstance(instanceId: string): string {
  if (INSTANCE.test(instanceId)) return instanceId;
  throw new AppError({
    code: 'certificate.instance.invalid',
    kind: 'invalid',
    message: 'The id of an instance has 1 to 80 letters, digits, "-" and "_".',
  });
}

function invalidHost(): AppError {
  return new AppError({
    code: 'certificate.host.invalid',
    kind: 'invalid',
    message:
      'A server certificate needs 1 to 16 host names (lower case, no wildcard) or IP addresses that clients dial.',
  });
}

function caIsOver(): AppError {
  return new AppError({
    code: 'certificate.ca.conflict',
    kind: 'conflict',
    message:
      'The CA is over, so nothing can be signed with it. Make a new one: agent-runtime cert rotate-ca.',
  });
}
