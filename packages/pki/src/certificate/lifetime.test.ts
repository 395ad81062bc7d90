import { describe, expect, it } from 'vitest';
import { type CertificateKind, expiryAlarms, isDueForRenewal, type WatchedCert } from './index.ts';

const DAY_MS = 86_400_000;
const START_MS = Date.UTC(2026, 10, 30);

const cert = (kind: CertificateKind, days: number, name = 'x'): WatchedCert => ({
  kind,
  name,
  notBeforeMs: START_MS,
  notAfterMs: START_MS + days * DAY_MS,
});

describe('renewal', () => {
  it('is due from two thirds of the life on', () => {
    const life = cert('client', 30);
    expect(isDueForRenewal(life, START_MS + 20 * DAY_MS - 1)).toBe(false);
    expect(isDueForRenewal(life, START_MS + 20 * DAY_MS)).toBe(true);
    expect(isDueForRenewal(life, START_MS + 31 * DAY_MS)).toBe(true);
  });
});

describe('alarms', () => {
  const urgencies = (watched: WatchedCert, leftMs: readonly number[]): readonly (string | undefined)[] =>
    leftMs.map((left) => expiryAlarms([watched], watched.notAfterMs - left)[0]?.urgency);
  const steps = [30, 7, 1].flatMap((days) => [days * DAY_MS + 1, days * DAY_MS]);

  it.each(['ca', 'server', 'proxy'] as const)('of the %s come 30, 7 and 1 days before its end', (kind) => {
    expect(urgencies(cert(kind, 365), [...steps, 0, -1])).toEqual([
      undefined,
      'notice',
      'notice',
      'warning',
      'warning',
      'urgent',
      'urgent',
      'over',
    ]);
  });

  it('of a client come when it should have been renewed', () => {
    const left = [10 * DAY_MS + 1, 10 * DAY_MS, 7 * DAY_MS, DAY_MS, -1];
    expect(urgencies(cert('client', 30), left)).toEqual([undefined, 'notice', 'warning', 'urgent', 'over']);
  });

  it('say what ends when, and what to do, soonest first', () => {
    const certs = [
      cert('ca', 36, 'the CA of 2026'),
      cert('client', 30, 'mia on laptop'),
      cert('server', 300, 'fine'),
    ];
    const alarms = expiryAlarms(certs, START_MS + 29.5 * DAY_MS);
    expect(alarms.map(({ text }) => text)).toEqual([
      'The client certificate of mia on laptop ends on 2026-12-30, in 1 day. It is renewed when that person next uses ' +
        'agent-runtime; once it is over, they enrol again.',
      'The ca certificate of the CA of 2026 ends on 2027-01-05, in 7 days. Make the next one: agent-runtime cert rotate-ca.',
    ]);
    const [over] = expiryAlarms(certs, START_MS + 31 * DAY_MS);
    expect(over?.text).toMatch(/^The client certificate of mia on laptop ended on 2026-12-30\. /);
    expect(expiryAlarms([], START_MS)).toEqual([]);
  });
});
