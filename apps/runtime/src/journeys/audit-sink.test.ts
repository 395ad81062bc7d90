import { existsSync, mkdirSync, readFileSync, renameSync, rmdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type LlmServer, until } from '@agent-runtime/testkit';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Home, Running } from './journey.fixture.ts';
import {
  endMachine,
  isLogWhole,
  proposePost,
  rowOf,
  settled,
  startMachine,
  wireOf,
} from './promises.fixture.ts';

describe('the heads of the audit log cannot be kept', { timeout: 180_000 }, () => {
  let home: Home;
  let server: LlmServer;
  let runtime: Running;
  beforeAll(async () => {
    ({ home, server, runtime } = await startMachine());
  }, 120_000);
  afterAll(() => endMachine(home, server));

  const heads = () => join(home.dataDir, 'audit', 'checkpoints.jsonl');
  const signingKey = () => join(home.dataDir, 'audit', 'signing-key.json');
  const ready = async (): Promise<string> => (await fetch(`${runtime.url}/readyz`)).text();
  /** Modes do not stop root; a folder in its place stops everybody. */
  const block = (path: string): void => {
    if (existsSync(path)) renameSync(path, `${path}.kept`);
    mkdirSync(path);
  };
  const free = (path: string): void => {
    rmdirSync(path);
    if (existsSync(`${path}.kept`)) renameSync(`${path}.kept`, path);
  };
  /** A start that is refused, in words that name the file. */
  const refused = async (code: number, words: string): Promise<void> => {
    const { err, ...ended } = await home.runtime(['up']);
    expect({ code: ended.code, err }).toMatchObject({ code, err: expect.stringContaining(words) });
    expect(err).not.toContain('    at ');
  };

  test('no approved post leaves without its signed head; health says so, panic works and stays', async () => {
    const shown = await proposePost(home, server, 'Nothing of this leaves.');
    block(heads());
    await home.cli(['approval', 'approve', shown.id]);
    await until(() => rowOf(home, shown.effect).code === 'audit.head.unavailable', 'the try', 30_000);
    expect(wireOf(home, shown.effect)).toEqual([]);
    expect(await ready()).toContain('could not be signed');
    expect((await home.cli(['panic', 'on'])).code).toBe(0);
    await runtime.kill();
    await refused(8, heads());
    free(heads());
    runtime = await home.start({}, ['up', '--json']);
    expect(await ready()).toContain('panic is on');
    expect((await home.cli(['panic', 'off'])).code).toBe(0);
    expect(await settled(home, shown.effect)).toBe('void');
    expect(wireOf(home, shown.effect)).toEqual([]);
    expect(await isLogWhole(home)).toBe(true);
  });

  test('a signing key that cannot be read, or is another one, starts nothing; put back, everything goes on', async () => {
    await runtime.stop();
    block(signingKey());
    await refused(8, signingKey());
    free(signingKey());
    const good = readFileSync(signingKey(), 'utf8');
    writeFileSync(signingKey(), good.replace(/"sealedPrivateKey": "..../, '"sealedPrivateKey": "AAAA'));
    await refused(4, 'signing key of the audit log cannot be opened');
    writeFileSync(signingKey(), good);
    runtime = await home.start({}, ['up', '--json']);
    const shown = await proposePost(home, server, 'The fair begins at noon.');
    expect((await home.cli(['approval', 'approve', shown.id])).code).toBe(0);
    expect(await settled(home, shown.effect)).toBe('done');
    expect(await isLogWhole(home)).toBe(true);
  });

  test('a witness that cannot be kept is named in the log; the heads inside still count', async () => {
    await runtime.stop();
    block(join(home.folder, 'secrets', 'audit-head.json'));
    runtime = await home.start({}, ['up', '--json']);
    expect(runtime.log()).toContain('could not be kept outside the data folder');
    const shown = await proposePost(home, server, 'The fair ends at six.');
    expect((await home.cli(['approval', 'approve', shown.id])).code).toBe(0);
    expect(await settled(home, shown.effect)).toBe('done');
    expect((await home.cli(['panic', 'on'])).code).toBe(0);
    expect(await isLogWhole(home)).toBe(true);
  });
});
