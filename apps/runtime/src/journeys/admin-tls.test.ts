import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { CERTIFICATE_HEADER } from '../admin/index.ts';
import { foreign } from '../admin/tls.fixture.ts';
import { type Home, newHome, type Running } from './journey.fixture.ts';
import {
  bootIdOf,
  type Machine,
  newMachine,
  type Shown,
  sendTls,
  shownBy,
  signGet,
  statusOf,
} from './remote.fixture.ts';

const WHOAMI = '/whoami';

/** As `npm start` serves it: the runtime ends TLS itself, nothing stands in front. */
describe('the admin API under npm start', { timeout: 120_000 }, () => {
  let home: Home;
  let runtime: Running;
  let ada: Machine;
  let url: string;

  beforeAll(async () => {
    home = newHome({ AGENT_RUNTIME_ADMIN_LISTEN: '127.0.0.1:0' });
    runtime = await home.start();
    url = String(runtime.ready.admin_url);
    ada = newMachine(home, 'ada');
    await enrol(ada, 'ada');
  }, 120_000);
  afterAll(async () => home?.remove());

  const enrol = async (machine: Machine, user: string): Promise<void> => {
    await home.cli(['user', 'add', user]);
    await home.cli(['grant', 'add', '--user', user, '--role', 'admin', '--scope', '*']);
    const { code } = (await home.cli(['invite', 'create', '--user', user, '--json'])).json<{
      code: string;
    }>();
    const enrolled = await machine.cli(['enrol', '--url', runtime.url, '--invite', code]);
    expect({ code: enrolled.code, err: enrolled.err }).toEqual({ code: 0, err: '' });
  };
  const ask = async (shown: Shown, headers: Readonly<Record<string, string>> = {}): Promise<number> => {
    const wire = await signGet(ada, await bootIdOf(url, shownBy(ada)), WHOAMI);
    return statusOf(await sendTls(url, shown, { ...wire, headers: { ...wire.headers, ...headers } }));
  };

  test('a person from elsewhere is known, and a code is good once', async () => {
    expect(await ask(shownBy(ada))).toBe(200);
    const { code } = (await home.cli(['invite', 'create', '--user', 'ada', '--json'])).json<{
      code: string;
    }>();
    const other = newMachine(home, 'other');
    expect((await other.cli(['enrol', '--url', runtime.url, '--invite', code])).code).toBe(0);
    const again = await newMachine(home, 'third').cli(['enrol', '--url', runtime.url, '--invite', code]);
    expect([3, 5]).toContain(again.code);
  });

  test('a dumb forwarder with perfect headers gets nowhere', async () => {
    const der = ada.credentials().certPem.replace(/-----[^-]+-----|\s/g, '');
    const { key } = ada.credentials();
    const theirs = await foreign(key, 'user_00000000000000000001' as never, Date.now()); // safe: some id
    const headers = { [CERTIFICATE_HEADER]: der, 'x-forwarded-client-cert': der };
    for (const peer of [{}, { cert: theirs.proxy.certPem, key: theirs.proxy.keyPem }])
      await expect(ask(peer, headers)).rejects.toThrow(/alert|reset|hang up/i);
    const bo = newMachine(home, 'bo');
    await enrol(bo, 'bo');
    expect(await ask(shownBy(bo), headers)).toBe(401);
  });

  test('a captured request is refused the second time, and after a restart', async () => {
    const shown = shownBy(ada);
    const used = await signGet(ada, await bootIdOf(url, shown), WHOAMI);
    const unused = await signGet(ada, await bootIdOf(url, shown), WHOAMI);
    expect(await statusOf(await sendTls(url, shown, used))).toBe(200);
    expect(await statusOf(await sendTls(url, shown, used))).toBe(401);
    await runtime.kill();
    const { host } = new URL(url);
    runtime = await home.start({ AGENT_RUNTIME_ADMIN_LISTEN: host }, ['up', '--json']);
    expect(String(runtime.ready.admin_url)).toBe(url);
    for (const captured of [used, unused])
      expect(await statusOf(await sendTls(url, shown, captured))).toBe(401);
    expect(await ask(shown)).toBe(200);
  });

  test.each([
    ['its certificate', async () => ['cert', 'revoke', await idIn('cert')]],
    ['its key', async () => ['key', 'revoke', await idIn('key')]],
    ['the person', async () => ['user', 'offboard', 'cy']],
  ] as const)(
    'revoking %s ends an open stream within a second, and every request after it',
    async (what, how) => {
      const cy = newMachine(home, `cy-${what.replaceAll(' ', '-')}`);
      await enrol(cy, 'cy');
      const shown = shownBy(cy);
      const bootId = await bootIdOf(url, shown);
      const stream = await sendTls(url, shown, await signGet(cy, bootId, '/events'));
      expect(stream.statusCode).toBe(200);
      const ended = new Promise<number>((resolve) => {
        for (const event of ['end', 'error', 'close']) stream.once(event, () => resolve(performance.now()));
      });
      stream.resume();
      const refused = (async (): Promise<number> => {
        for (;;) {
          const signed = await signGet(cy, bootId, WHOAMI);
          if ((await statusOf(await sendTls(url, shown, signed))) === 401) return performance.now();
        }
      })();
      expect((await home.cli(await how())).code).toBe(0);
      expect((await ended) - (await refused)).toBeLessThan(1_000);
    },
  );

  async function idIn(list: 'cert' | 'key'): Promise<string> {
    const { items } = (await home.cli([list, 'list', '--json'])).json<{
      items: { id: string; user: string }[];
    }>();
    return items.find((row) => row.user === 'cy')?.id ?? 'none';
  }
});
