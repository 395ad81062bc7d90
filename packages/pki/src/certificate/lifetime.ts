import type { CertificateKind } from './profile.ts';

/** From when to when a certificate is good, both instants included, epoch ms. */
export interface Lifetime {
  readonly notBeforeMs: number;
  readonly notAfterMs: number;
}

/** A certificate to watch over. */
export interface WatchedCert extends Lifetime {
  readonly kind: CertificateKind;
  /** For people, e.g. the user's name and machine. */
  readonly name: string;
}

/** notice: something should have happened by now. warning: a week left. urgent: a day left. over: too late. */
export type Urgency = 'notice' | 'warning' | 'urgent' | 'over';

export interface ExpiryAlarm {
  readonly kind: CertificateKind;
  readonly name: string;
  readonly urgency: Urgency;
  readonly notAfterMs: number;
  /** What ends when, and what to do. */
  readonly text: string;
}

const DAY_MS = 86_400_000;

/** What a person can do about it; a client's, a server's and the proxy's certificates should renew by themselves. */
const REMEDY: Readonly<Record<CertificateKind, string>> = {
  ca: 'Make the next one: agent-runtime cert rotate-ca.',
  server: 'It should have been renewed by itself: see the log, restart the runtime.',
  proxy: 'It should have been renewed by itself: see the log, restart the runtime and the proxy.',
  client: 'It is renewed when that person next uses agent-runtime; once it is over, they enrol again.',
};

/** True at an instant of the certificate's life; false for a clock of NaN. */
export function isWithin(life: Lifetime, nowMs: number): boolean {
  return nowMs >= life.notBeforeMs && nowMs <= life.notAfterMs;
}

/** True from two thirds of the life on, also when it is over (then only a new enrolment helps). */
export function isDueForRenewal(life: Lifetime, nowMs: number): boolean {
  return nowMs >= life.notBeforeMs + ((life.notAfterMs - life.notBeforeMs) * 2) / 3;
}

/**
 * What needs somebody's eye. CA, server and proxy: 30, 7 and 1 day before their end. Clients: from two thirds of their
 * life on, then 7 days and 1 day before the end.
 * @returns one alarm per certificate that has one, soonest end first
 */
export function expiryAlarms(certs: readonly WatchedCert[], nowMs: number): readonly ExpiryAlarm[] {
  return certs
    .flatMap((cert) => alarmOf(cert, nowMs) ?? [])
    .sort((one, other) => one.notAfterMs - other.notAfterMs);
}

function alarmOf(cert: WatchedCert, nowMs: number): ExpiryAlarm | undefined {
  const urgency = urgencyOf(cert, nowMs);
  if (urgency === undefined) return undefined;
  const { kind, name, notAfterMs } = cert;
  const end = new Date(notAfterMs).toISOString().slice(0, 10);
  const days = Math.ceil((notAfterMs - nowMs) / DAY_MS);
  const when =
    urgency === 'over' ? `ended on ${end}` : `ends on ${end}, in ${days} ${days === 1 ? 'day' : 'days'}`;
  return {
    kind,
    name,
    urgency,
    notAfterMs,
    text: `The ${kind} certificate of ${name} ${when}. ${REMEDY[kind]}`,
  };
}

function urgencyOf(cert: WatchedCert, nowMs: number): Urgency | undefined {
  const leftMs = cert.notAfterMs - nowMs;
  if (leftMs < 0) return 'over';
  if (leftMs <= DAY_MS) return 'urgent';
  if (leftMs <= 7 * DAY_MS) return 'warning';
  const isNoticed = cert.kind === 'client' ? isDueForRenewal(cert, nowMs) : leftMs <= 30 * DAY_MS;
  return isNoticed ? 'notice' : undefined;
}
