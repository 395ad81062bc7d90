import { cpSync, existsSync, readFileSync, renameSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type Home, newHome } from './journey.fixture.ts';
import { isLogWhole } from './promises.fixture.ts';

describe('a damaged database', { timeout: 300_000 }, () => {
  let home: Home;
  const database = () => join(home.dataDir, 'agent-runtime', 'meta.sqlite');
  const backup = () => join(home.folder, 'backup');
  beforeAll(async () => {
    home = newHome();
    const runtime = await home.start();
    await home.ask('How do I get a refund?', '--conversation', 'talk');
    await runtime.stop();
    cpSync(home.dataDir, backup(), { recursive: true });
  }, 300_000);
  afterAll(() => home.remove());

  /** A third of it is zeros, as after a failing disk. */
  const damage = (): void => {
    const bytes = readFileSync(database());
    const third = Math.floor(bytes.length / 3);
    bytes.fill(0, third, third * 2);
    writeFileSync(database(), bytes);
  };
  const refused = async (): Promise<void> => {
    const { code, err } = await home.runtime(['up']);
    expect({ code, err }).toMatchObject({ code: 8, err: expect.stringContaining('Restore a backup first') });
  };

  test('it does not start, and says: restore first, rebuild second', async () => {
    damage();
    await refused();
    truncateSync(database(), 50_000);
    await refused();
    expect(existsSync(database())).toBe(true);
  });

  test('a copied backup that is put back works as if nothing had been', async () => {
    rmSync(home.dataDir, { recursive: true });
    cpSync(backup(), home.dataDir, { recursive: true });
    const runtime = await home.start({}, ['up', '--json']);
    expect((await home.ask('How do I get a refund?', '--conversation', 'talk')).status).toBe('succeeded');
    expect(await isLogWhole(home)).toBe(true);
    await runtime.stop();
  });

  test('without a backup: moved away, it is rebuilt from the Markdown, and the gate is closed', async () => {
    damage();
    await refused();
    const inTheWay = await home.runtime(['rebuild', '--yes']);
    expect({ code: inTheWay.code, err: inTheWay.err }).toMatchObject({
      code: 6,
      err: expect.stringContaining('away'),
    });
    renameSync(database(), join(home.folder, 'damaged.sqlite'));
    const rebuilt = await home.runtime(['rebuild', '--yes', '--json']);
    expect({ code: rebuilt.code, err: rebuilt.err }).toMatchObject({ code: 0 });
    expect(rebuilt.json<{ messages: number }>().messages).toBe(4);
    const runtime = await home.start({}, ['up', '--json']);
    expect((await home.cli(['enrol', '--force'])).code).toBe(0);
    expect((await home.cli(['ask', 'And now?', '--json'])).code).toBe(8);
    expect((await home.cli(['gate', 'open'])).code).toBe(0);
    expect((await home.ask('How do I get a refund?')).status).toBe('succeeded');
    // This machine knows the lost log; the new one counts once a person says so.
    expect((await home.cli(['audit', 'verify'])).code).toBe(6);
    expect((await home.cli(['audit', 'trust', '--yes'])).code).toBe(0);
    expect(await isLogWhole(home)).toBe(true);
    await runtime.stop();
  });
});
