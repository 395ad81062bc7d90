import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type LlmServer, llm, startLlmServer, until } from '@agent-runtime/testkit';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Home, Running } from './journey.fixture.ts';
import {
  endMachine,
  homeWith,
  isFaultMet,
  isLogWhole,
  planFault,
  proposePost,
  rowOf,
  settled,
  startMachine,
  wireOf,
  withDatabase,
} from './promises.fixture.ts';

/** The outside takes the message and never answers: the process waits, and dies. */
const TAKEN = { kind: 'hang', doesArrive: true, address: 'general' };
/** Nobody can ask this chat what arrived, and it shows what it gets twice. */
const FORGETFUL = { canReconcile: false, dropsRepeats: false };

describe('P3: the decision is on record before anything leaves', { timeout: 240_000 }, () => {
  let home: Home;
  let server: LlmServer;
  let runtime: Running;
  beforeAll(async () => {
    ({ home, server, runtime } = await startMachine(FORGETFUL));
  }, 120_000);
  afterAll(() => endMachine(home, server));

  test('killed after the outside took an approved post: the log holds its decision, it is uncertain and never sent again', async () => {
    const shown = await proposePost(home, server, 'The fair begins at noon.');
    planFault(home, TAKEN);
    expect((await home.cli(['approval', 'approve', shown.id])).code).toBe(0);
    await until(() => wireOf(home, shown.effect).length === 1, 'the outside to have it', 30_000);
    await runtime.kill();
    // What the dead process left behind, before any other one mends it.
    const actions = withDatabase(home, (database) =>
      database
        .prepare('select * from audit_event')
        .all()
        .map((row) => JSON.stringify(row)),
    ).filter((row) => row.includes(shown.effect) && row.includes('effect.perform'));
    expect(actions).toHaveLength(1);
    expect(actions[0]).toContain(shown.digest);
    runtime = await home.start({}, ['up', '--json']);
    expect(await settled(home, shown.effect)).toBe('uncertain');
    expect(await isLogWhole(home)).toBe(true);
    const listed = await home.cli(['effect', 'list', '--state', 'uncertain']);
    expect(listed.out).toContain(shown.effect);
    expect((await home.cli(['effect', 'show', shown.effect])).out).toContain('effect resolve');
    expect((await home.cli(['approval', 'approve', shown.id])).code).toBe(6);
    await runtime.kill();
    runtime = await home.start({}, ['up', '--json']);
    expect((await home.ask('ping')).status).toBe('succeeded');
    expect(wireOf(home, shown.effect)).toEqual(shown.bytes.payloads);
  });

  test('killed after the outside took an ordinary answer: it is sent again, and listed as doubtful', async () => {
    server.next([...llm.text('The doors open at eight.'), ...llm.done()]);
    planFault(home, TAKEN);
    home.chat.say({ id: 'd1', channel: 'general', sender: 'visitor-d1', text: 'When do you open?' });
    const answers = () =>
      home.chat.delivered().filter(({ payload }) => String(payload.text).includes('open at eight'));
    await until(() => answers().length === 1, 'the outside to have it', 30_000);
    expect(isFaultMet(home)).toBe(true);
    await runtime.kill();
    runtime = await home.start({}, ['up', '--json']);
    await until(() => answers().length === 2, 'the second time', 30_000);
    const [effect = ''] = new Set(answers().map(({ effect_id }) => effect_id));
    expect(await settled(home, effect)).toBe('done');
    expect(rowOf(home, effect).code).toBe('settle.repeat.uncertain');
    expect((await home.cli(['effect', 'show', effect])).out).toContain('may see this twice');
  });
});

const whyNoTmpfs = ((): string | undefined => {
  if (process.platform !== 'linux') return 'tmpfs is of Linux';
  const folder = '/tmp/ar-tmpfs-probe';
  try {
    mkdirSync(folder, { recursive: true });
    execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=1m', 'none', folder], { stdio: 'ignore' });
    execFileSync('umount', [folder]);
    return undefined;
  } catch {
    return 'mounting a tmpfs needs root';
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
})();

describe.skipIf(whyNoTmpfs !== undefined)(
  `P3 on a full disk${whyNoTmpfs === undefined ? '' : ` (skipped: ${whyNoTmpfs})`}`,
  { timeout: 240_000 },
  () => {
    let home: Home;
    let server: LlmServer;
    beforeAll(async () => {
      server = await startLlmServer();
      home = homeWith(server);
      mkdirSync(home.dataDir, { recursive: true });
      execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=16m,mode=700', 'none', home.dataDir]);
    }, 120_000);
    afterAll(async () => {
      await server.close();
      execFileSync('umount', ['-l', home.dataDir]);
      await home.remove();
    });

    test('an approved post does not leave without its record, yet panic turns on, and nothing old is sent afterwards', async () => {
      let runtime = await home.start();
      const shown = await proposePost(home, server, 'Nothing of this leaves.');
      planFault(home, { kind: 'unavailable', address: 'general', retryAfterMs: 2_000 });
      expect((await home.cli(['approval', 'approve', shown.id])).code).toBe(0);
      await until(() => rowOf(home, shown.effect).code !== undefined, 'the first try to fail', 30_000);
      const filler = join(home.dataDir, 'filler');
      fill(filler);
      // The second try comes by itself; it may not happen, for nothing can be written about it.
      await until(() => runtime.log().includes('could not be settled'), 'the try without a record', 30_000);
      expect(wireOf(home, shown.effect)).toEqual([]);
      expect((await home.cli(['panic', 'on'])).code).toBe(0);
      expect((await home.cli(['panic', 'status', '--json'])).json()).toMatchObject({ on: true });
      await runtime.kill();
      rmSync(filler);
      runtime = await home.start({}, ['up', '--json']);
      expect((await home.cli(['panic', 'status', '--json'])).json()).toMatchObject({ on: true });
      expect(await settled(home, shown.effect)).toBe('void');
      expect((await home.cli(['panic', 'off'])).code).toBe(0);
      expect((await home.ask('ping')).status).toBe('succeeded');
      expect(wireOf(home, shown.effect)).toEqual([]);
      expect(await isLogWhole(home)).toBe(true);
      await runtime.stop();
    });
  },
);

/** Writes until there is no room for one more byte. */
function fill(path: string): void {
  for (const sizeBytes of [1_048_576, 65_536, 4_096, 1]) {
    try {
      for (;;) writeFileSync(path, Buffer.alloc(sizeBytes), { flag: 'a' });
    } catch {
      if (!existsSync(path)) throw new Error('nothing could be written at all');
    }
  }
}
