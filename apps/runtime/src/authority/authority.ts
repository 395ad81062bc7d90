import { createPrivateKey, createPublicKey, X509Certificate } from 'node:crypto';
import { isIP } from 'node:net';
import { AppError, type Clock, type Logger, toInstant, type UserId } from '@agent-runtime/domain';
import type { CertificateAuthority, TrustedCa, WatchedCertificate } from '@agent-runtime/engine';
import { importPublicKey, newClientKey } from '@agent-runtime/pki';
import {
  type Ca,
  type CaCert,
  certificatePem,
  expiryAlarms,
  exportCaKey,
  importCa,
  isDueForRenewal,
  issueClientCert,
  issueProxyCert,
  issueServerCert,
  LIFETIME_MS,
  newCa,
  readCa,
  type VerifiedClientCert,
  verifyClientCert,
  verifyProxyCert,
} from '@agent-runtime/pki/certificate';
import type { AuthorityFile, AuthorityState, KeyPair } from './authority-file.ts';
import { makeFollowers } from './followers.ts';

export interface AuthorityInput {
  readonly file: AuthorityFile;
  readonly instanceId: string;
  readonly clock: Clock;
  readonly log: Logger;
  /** Names and addresses by which clients reach the admin listener itself. */
  readonly hosts: readonly string[];
  /** Where Caddy stands in front: the names of the admin host that it serves. */
  readonly proxyHosts?: readonly string[] | undefined;
}

/** A certificate with its key, as TLS takes them. */
export interface TlsIdentity {
  readonly certPem: string;
  readonly keyPem: string;
}

/** The internal CA of this data folder, at work. */
export interface Authority extends Pick<CertificateAuthority, 'issue' | 'rotate'> {
  /** As the port says. */
  alarms(people: readonly WatchedCertificate[], nowMs: number): readonly string[];
  /** CAs that count at an instant, the current one first. */
  trusted(nowMs: number): readonly TrustedCa[];
  /** Identity of the admin listener. */
  server(): TlsIdentity;
  /** What Caddy is given; undefined in direct mode. */
  proxy(): { readonly admin: TlsIdentity; readonly upstream: TlsIdentity } | undefined;
  /** CAs that count now as PEM, the current one first, at most one more. */
  rootPems(): readonly string[];
  /** A person's certificate by its own bytes. Revocation is asked elsewhere. @throws AppError certificate.client.unauthenticated */
  verifyClient(der: Uint8Array): VerifiedClientCert;
  /** @throws AppError certificate.proxy.unauthenticated */
  verifyProxy(der: Uint8Array): void;
  /** Renews what is due and forgets old CAs; cheap when nothing is. */
  maintain(): Promise<void>;
  /**
   * Keeps something in step with server, proxy and roots. One that throws delays nobody: it is told again by `maintain`.
   * @param what in words, e.g. `the files of Caddy`; `listener` is called now and after each change
   */
  follow(what: string, listener: () => void): void;
}

/**
 * Opens the CA, or makes it at the first start.
 * @throws AppError certificate.file.unavailable
 */
export async function openAuthority(input: AuthorityInput): Promise<Authority> {
  const { file, instanceId, clock, log } = input;
  const followers = makeFollowers(log);
  let state = file.read() ?? (await firstState(input));
  let ca = importOf(state.current);
  let others = othersOf(state);

  const save = (next: AuthorityState): void => {
    file.write(next);
    state = next;
    ca = importOf(next.current);
    others = othersOf(next);
    followers.tell();
  };
  const trusted = (nowMs: number): readonly TrustedCa[] => [
    trustedCa(ca.cert, true),
    ...others.filter((other) => nowMs < other.until).map((other) => trustedCa(other.cert, false)),
  ];
  const roots = (): readonly CaCert[] => {
    const nowMs = clock.nowMs();
    return [ca.cert, ...others.filter((other) => nowMs < other.until).map((other) => other.cert)];
  };

  // One change at a time: each is made from the state before it, and making keys takes a while.
  let last: Promise<unknown> = Promise.resolve();
  const inTurn =
    <A extends readonly unknown[]>(act: (...given: A) => Promise<void>) =>
    (...given: A): Promise<void> => {
      const own = last.then(() => act(...given));
      last = own.catch(() => undefined);
      return own;
    };

  const authority: Authority = {
    issue: async ({ publicKeyPem, user, nowMs }) => {
      const made = issueClientCert({
        ca,
        publicKey: keyOf(publicKeyPem),
        subject: { instanceId, userId: user as UserId }, // safe: issueClientCert refuses what is no id of a user
        nowMs,
      });
      return {
        id: made.serial,
        pem: made.pem,
        issuer: made.caFingerprint,
        createdAt: nowMs,
        expiresAt: made.notAfterMs,
      };
    },
    trusted,
    rotate: inTurn(async ({ nowMs, keepOld }) => {
      const left = state.others.filter((other) => nowMs < other.until);
      // Clients that know only the CA before would stand before a stranger.
      if (keepOld && left.length > 0) throw notOver(left[0]?.until ?? nowMs);
      const next = await newCa({ commonName: caName(nowMs), nowMs });
      const until = nowMs + LIFETIME_MS.client;
      const old = { certificate: base64(ca.cert.der), until };
      // While the old CA counts the listener shows a certificate of it, made with the last act of its key: a client that
      // knows only the old one comes in, renews, and is told of the new one.
      const certs = await serverCerts(input, keepOld ? ca : next, nowMs);
      save({
        version: 1,
        current: pairOf(next),
        others: keepOld ? [old] : [],
        ...certs,
      });
    }),
    alarms: (people, nowMs) => [
      ...followers
        .behind()
        .map((what) => `${what}: older than the CA. Look at the disk and the log; it is tried every hour.`),
      ...expiryAlarms(
        [
          { kind: 'ca', name: ca.cert.commonName, ...lifeOfCa(ca.cert) },
          { kind: 'server', name: 'admin listener', ...lifetimeOf(state.server) },
          ...(state.proxy === undefined
            ? []
            : [
                { kind: 'server' as const, name: 'admin host', ...lifetimeOf(state.proxy.admin) },
                { kind: 'proxy' as const, name: 'caddy', ...lifetimeOf(state.proxy.upstream) },
              ]),
          ...people.map(({ name, createdAt, expiresAt }) => ({
            kind: 'client' as const,
            name,
            notBeforeMs: createdAt,
            notAfterMs: expiresAt,
          })),
        ],
        nowMs,
      ).map((alarm) => alarm.text),
    ],
    server: () => identityOf(state.server),
    proxy: () =>
      state.proxy === undefined
        ? undefined
        : { admin: identityOf(state.proxy.admin), upstream: identityOf(state.proxy.upstream) },
    rootPems: () => roots().map((root) => root.pem),
    verifyClient: (certDer) =>
      verifyClientCert({ certDer, roots: roots(), instanceId, nowMs: clock.nowMs() }),
    verifyProxy: (certDer) => {
      verifyProxyCert({ certDer, roots: roots(), instanceId, nowMs: clock.nowMs() });
    },
    maintain: inTurn(async () => {
      followers.retry();
      const nowMs = clock.nowMs();
      const left = state.others.filter((other) => nowMs < other.until);
      const isOver = left.length < state.others.length;
      if (!isOver && !isDue(input, state, nowMs)) return;
      // An older CA cannot sign any more, its key is gone: what it made for us lasts longer than the overlap.
      if (left.length > 0 && !isOver) return;
      save({ ...state, others: left, ...(await serverCerts(input, ca, nowMs)) });
      log.info({ room: 'certificate' }, 'the certificates of the admin listener were renewed');
    }),
    follow: followers.add,
  };
  await authority.maintain();
  return authority;
}

async function firstState(input: AuthorityInput): Promise<AuthorityState> {
  const nowMs = input.clock.nowMs();
  const ca = await newCa({ commonName: caName(nowMs), nowMs });
  const state: AuthorityState = {
    version: 1,
    current: pairOf(ca),
    others: [],
    ...(await serverCerts(input, ca, nowMs)),
  };
  input.file.write(state);
  return state;
}

/** Fresh keys and certificates for the listener and, where there is one, the proxy. */
async function serverCerts(
  input: AuthorityInput,
  ca: Ca,
  nowMs: number,
): Promise<Pick<AuthorityState, 'server' | 'proxy'>> {
  const serverOf = async (hosts: readonly string[]): Promise<KeyPair> => {
    const { publicKey, privateKey } = await newClientKey();
    const { der } = issueServerCert({ ca, publicKey, nowMs, ...namesOf(hosts) });
    return { certificate: base64(der), key: base64(privateKey.export({ type: 'pkcs8', format: 'der' })) };
  };
  const server = await serverOf(input.hosts);
  if (input.proxyHosts === undefined) return { server };
  const { publicKey, privateKey } = await newClientKey();
  const { der } = issueProxyCert({ ca, publicKey, nowMs, instanceId: input.instanceId });
  const key = base64(privateKey.export({ type: 'pkcs8', format: 'der' }));
  return {
    server,
    proxy: { admin: await serverOf(input.proxyHosts), upstream: { certificate: base64(der), key } },
  };
}

/** People tell CAs apart by it during a rollover. */
function caName(nowMs: number): string {
  return `agent-runtime ${toInstant(nowMs).slice(0, 10)}`;
}

function isDue(input: AuthorityInput, state: AuthorityState, nowMs: number): boolean {
  if ((input.proxyHosts === undefined) !== (state.proxy === undefined)) return true;
  const pairs = [
    state.server,
    ...(state.proxy === undefined ? [] : [state.proxy.admin, state.proxy.upstream]),
  ];
  const isNamed =
    isFor(state.server, input.hosts) &&
    (state.proxy === undefined || isFor(state.proxy.admin, input.proxyHosts ?? []));
  return !isNamed || pairs.some((pair) => isDueForRenewal(lifetimeOf(pair), nowMs));
}

/** Does the certificate name every host by which it is dialled now? */
function isFor(pair: KeyPair, hosts: readonly string[]): boolean {
  const certificate = new X509Certificate(bytes(pair.certificate));
  return hosts.every(
    (host) => (isIP(host) === 0 ? certificate.checkHost(host) : certificate.checkIP(host)) !== undefined,
  );
}

function lifetimeOf(pair: KeyPair): { readonly notBeforeMs: number; readonly notAfterMs: number } {
  const { validFromDate, validToDate } = new X509Certificate(bytes(pair.certificate));
  return { notBeforeMs: validFromDate.getTime(), notAfterMs: validToDate.getTime() };
}

function lifeOfCa({ notBeforeMs, notAfterMs }: CaCert): {
  readonly notBeforeMs: number;
  readonly notAfterMs: number;
} {
  return { notBeforeMs, notAfterMs };
}

function namesOf(hosts: readonly string[]): { readonly dnsNames: string[]; readonly ipAddresses: string[] } {
  const all = [...new Set(hosts)];
  return {
    dnsNames: all.filter((host) => isIP(host) === 0),
    ipAddresses: all.filter((host) => isIP(host) !== 0),
  };
}

function trustedCa(cert: CaCert, isCurrent: boolean): TrustedCa {
  return { fingerprint: cert.fingerprint, pem: cert.pem, isCurrent, expiresAt: cert.notAfterMs };
}

function importOf(pair: KeyPair): Ca {
  return importCa({ certDer: bytes(pair.certificate), pkcs8Der: bytes(pair.key) });
}

function othersOf(state: AuthorityState): readonly { readonly cert: CaCert; readonly until: number }[] {
  return state.others.map(({ certificate, until }) => ({ cert: readCa(bytes(certificate)), until }));
}

function pairOf(ca: Ca): KeyPair {
  return { certificate: base64(ca.cert.der), key: base64(exportCaKey(ca)) };
}

function identityOf(pair: KeyPair): TlsIdentity {
  const key = createPrivateKey({ key: Buffer.from(pair.key, 'base64'), format: 'der', type: 'pkcs8' });
  return {
    certPem: certificatePem(bytes(pair.certificate)),
    keyPem: key.export({ type: 'pkcs8', format: 'pem' }).toString(),
  };
}

function keyOf(publicKeyPem: string) {
  return importPublicKey(
    new Uint8Array(createPublicKey(publicKeyPem).export({ type: 'spki', format: 'der' })),
  );
}

function base64(value: Uint8Array): string {
  return Buffer.from(value).toString('base64');
}

function bytes(text: string): Uint8Array {
  return new Uint8Array(Buffer.from(text, 'base64'));
}

function notOver(untilMs: number): AppError {
  return new AppError({
    code: 'certificate.rollover.conflict',
    kind: 'conflict',
    message: `The last rollover is not over before ${toInstant(untilMs)}. If the old CA is lost or stolen: cert rotate-ca --distrust-old.`,
  });
}
