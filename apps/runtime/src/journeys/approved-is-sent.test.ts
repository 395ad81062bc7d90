import { effectDigest } from '@agent-runtime/domain';
import { type LlmServer, until } from '@agent-runtime/testkit';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Home, Running } from './journey.fixture.ts';
import {
  effectOf,
  endMachine,
  isLogWhole,
  planFault,
  proposePost,
  rowOf,
  settled,
  startMachine,
  wireOf,
  withDatabase,
} from './promises.fixture.ts';

/** 9,000 characters, no two sentences alike, so that a part in the wrong place would show. */
const LONG = Array.from({ length: 400 }, (_, n) => `Sentence number ${n + 1000} ends.`)
  .join(' ')
  .slice(0, 9_000);

describe('P1: what was approved is what is sent, byte for byte, or nothing more leaves', {
  timeout: 240_000,
}, () => {
  let home: Home;
  let server: LlmServer;
  let runtime: Running;
  beforeAll(async () => {
    ({ home, server, runtime } = await startMachine());
  }, 120_000);
  afterAll(() => endMachine(home, server));

  const approve = async (id: string): Promise<void> => {
    const { code, err } = await home.cli(['approval', 'approve', id]);
    expect({ code, err }).toMatchObject({ code: 0 });
  };
  /** Approved, but from this part on the chat is away for an hour. */
  const approvedButAway = async (
    text: string,
    part: number,
  ): Promise<Awaited<ReturnType<typeof proposePost>>> => {
    const shown = await proposePost(home, server, text);
    planFault(home, { kind: 'unavailable', part, address: 'general', retryAfterMs: 3_600_000 });
    await approve(shown.id);
    await until(
      () => rowOf(home, shown.effect).code === 'connectors.delivery.unavailable',
      'the chat to be away',
      20_000,
    );
    return shown;
  };
  test('a post in three parts arrives as the approver saw it', async () => {
    const shown = await proposePost(home, server, LONG);
    expect(shown.bytes.payloads.length).toBe(3);
    expect(shown.bytes.payloads.map(({ text }) => text).join(' ')).toBe(LONG);
    await approve(shown.id);
    await settled(home, shown.effect);
    expect(wireOf(home, shown.effect)).toEqual(shown.bytes.payloads);
    expect((await effectOf(home, shown.effect)).state).toBe('done');
  });

  test('the outside refuses the second part: the third never leaves, the state says what did', async () => {
    const shown = await proposePost(home, server, `Refused. ${LONG}`);
    planFault(home, { kind: 'rejected', part: 1, address: 'general' });
    await approve(shown.id);
    await settled(home, shown.effect);
    expect(wireOf(home, shown.effect)).toEqual(shown.bytes.payloads.slice(0, 1));
    expect(await effectOf(home, shown.effect)).toMatchObject({ state: 'rejected' });
    const words = withDatabase(home, (database) =>
      database.prepare("select text from context_message where text like '%' || ? || '%'").all(shown.effect),
    );
    expect(JSON.stringify(words)).toContain('1 of 3 parts had left; nothing more will.');
    await runtime.kill();
    runtime = await home.start({}, ['up', '--json']);
    expect((await home.ask('ping')).status).toBe('succeeded');
    expect(wireOf(home, shown.effect)).toHaveLength(1);
  });

  /** @returns true when the row is another one now */
  const change = (effect: string, from: string, to: string, isWithDigest = false): boolean =>
    withDatabase(home, (database) => {
      const row = database
        .prepare('select kind, sink, recipients, payloads, digest from effect where id = ?')
        .get(effect) as Record<string, string>; // safe: columns of text
      const payloads = String(row.payloads).replace(from, to);
      const bytes = {
        kind: String(row.kind),
        sink: JSON.parse(String(row.sink)),
        recipients: JSON.parse(String(row.recipients)),
        payloads: JSON.parse(payloads),
      };
      const digest = isWithDigest ? effectDigest(bytes) : String(row.digest);
      database
        .prepare('update effect set payloads = ?, digest = ?, not_before = 0 where id = ?')
        .run(payloads, digest, effect);
      return payloads !== row.payloads && (digest !== row.digest) === isWithDigest;
    });

  test('stored bytes that change after the approval are refused: one byte, one with its digest, one that is still to come', async () => {
    const one = await approvedButAway('The shop is closed on Monday.', 0);
    const both = await approvedButAway('The shop opens on Tuesday.', 0);
    const later = await approvedButAway(`Half way. ${LONG}`, 1);
    const same = await approvedButAway('The shop stays open on Sunday.', 0);
    await runtime.kill();
    expect(change(one.effect, 'Monday', 'Mondaz')).toBe(true);
    expect(change(both.effect, 'Tuesday', 'Thursday', true)).toBe(true);
    expect(change(later.effect, 'number 1320', 'number 1321')).toBe(true);
    // Nothing but its time: this one shows that the others would have left.
    expect(change(same.effect, 'Sunday', 'Sunday')).toBe(false);
    runtime = await home.start({}, ['up', '--json']);
    expect(await settled(home, same.effect)).toBe('done');
    for (const { effect } of [one, both, later])
      expect(['rejected', 'denied']).toContain(await settled(home, effect));
    expect(wireOf(home, same.effect)).toEqual(same.bytes.payloads);
    expect(wireOf(home, one.effect)).toEqual([]);
    expect(wireOf(home, both.effect)).toEqual([]);
    expect(wireOf(home, later.effect)).toEqual(later.bytes.payloads.slice(0, 1));
    expect(JSON.stringify((await effectOf(home, one.effect)).error)).toMatch(/changed|bytes|digest/i);
    expect(await isLogWhole(home)).toBe(true);
  });
});
