import { appendFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { ADMIN_PREFIX } from '@agent-runtime/domain';
import { type LlmServer, llm, startLlmServer, until } from '@agent-runtime/testkit';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { CERTIFICATE_HEADER } from '../admin/index.ts';
import { foreign } from '../admin/tls.fixture.ts';
import { type Home, newHome, newToken, post, type Running } from './journey.fixture.ts';
import {
  bootIdOf,
  type Caddy,
  freePort,
  type Machine,
  NO_CADDY,
  newMachine,
  type Shown,
  sendTls,
  shownBy,
  signGet,
  startCaddy,
  statusOf,
} from './remote.fixture.ts';

const suite = NO_CADDY === undefined ? 'behind a real Caddy' : `behind a real Caddy [skipped: ${NO_CADDY}]`;
const WHOAMI = '/whoami';

describe.skipIf(NO_CADDY !== undefined)(suite, { timeout: 120_000 }, () => {
  let home: Home;
  let runtime: Running;
  let caddy: Caddy;
  let ada: Machine;
  let runtimeAdmin: string;
  let model: LlmServer;

  beforeAll(async () => {
    const [publicPort = 0, adminPort = 0, runtimePort = 0] = await Promise.all([
      freePort(),
      freePort(),
      freePort(),
    ]);
    runtimeAdmin = `localhost:${runtimePort}`;
    model = await startLlmServer();
    home = newHome({
      AGENT_RUNTIME_LLM_BASE_URL: model.baseUrl,
      AGENT_RUNTIME_LLM_MODEL: 'emulated',
      AGENT_RUNTIME_RATE_PER_MINUTE: '100000',
      AGENT_RUNTIME_ADMIN_TLS: 'proxy',
      AGENT_RUNTIME_ADMIN_LISTEN: `127.0.0.1:${runtimePort}`,
      AGENT_RUNTIME_ADMIN_URL: `https://localhost:${adminPort}`,
    });
    runtime = await home.start();
    const runtimePublic = new URL(runtime.url).host;
    caddy = await startCaddy({ home, publicPort, adminPort, runtimePublic, runtimeAdmin });
    ada = newMachine(home, 'ada');
  }, 120_000);
  afterAll(async () => {
    await caddy?.stop();
    await home?.remove();
    await model?.close();
  });

  const enrol = async (machine: Machine, user: string): Promise<void> => {
    await home.cli(['user', 'add', user]);
    await home.cli(['grant', 'add', '--user', user, '--role', 'admin', '--scope', '*']);
    const made = await home.cli(['invite', 'create', '--user', user, '--json']);
    const { code } = made.json<{ code: string }>();
    const enrolled = await machine.cli(['enrol', '--url', caddy.publicUrl, '--invite', code]);
    expect({ code: enrolled.code, err: enrolled.err }).toEqual({ code: 0, err: '' });
  };
  const asked = async (shown: Shown, url = caddy.adminUrl): Promise<number> => {
    const bootId = await bootIdOf(caddy.adminUrl, shownBy(ada));
    return statusOf(await sendTls(url, shown, await signGet(ada, bootId, WHOAMI)));
  };

  test('somebody enrols from outside with a code, and administers from there', async () => {
    const closed = await fetch(`${caddy.publicUrl}/enrol`, { method: 'POST', body: '{}' });
    expect(closed.status).toBe(404);
    await enrol(ada, 'ada');
    const status = await ada.cli(['status', '--json']);
    expect(status.json()).toMatchObject({ ready: true });
    const added = await ada.cli(['user', 'add', 'bao', '--json']);
    expect(added.json()).toMatchObject({ name: 'bao' });
    const [row] = (await home.cli(['audit', 'tail', '--action', 'identity.add', '--json'])).json<{
      items: { actor: string }[];
    }>().items;
    const { id } = (await home.cli(['user', 'show', 'ada', '--json'])).json<{ id: string }>();
    expect(row?.actor).toBe(id);
  });

  test('from there a stranger of the chat is paired, and what a model proposes is approved and sent', async () => {
    const code = /(?:[0-9A-Z]{4}-){6}[0-9A-Z]{4}/;
    const talk = async (text: string): Promise<string> => {
      const before = home.chat.textsIn('talk-1').length;
      const line = {
        id: `c${before}-${text}`,
        channel: 'talk-1',
        channel_kind: 'direct',
        sender: 'u-1',
        text,
      };
      appendFileSync(join(home.folder, 'chat', 'inbox.jsonl'), `${JSON.stringify(line)}\n`);
      await until(() => home.chat.textsIn('talk-1').length > before, `an answer to ${text}`, 30_000);
      return home.chat.textsIn('talk-1')[before] ?? '';
    };
    const given = code.exec(await talk('pair'))?.[0] ?? 'none';
    const as = ['--user', 'zoe', '--create-user', '--role', 'member', '--scope', 'ws:community', '--json'];
    const paired = await ada.cli(['pair', 'approve', given, ...as]);
    expect(paired.json()).toMatchObject({ connector: 'memory', external_id: 'u-1', user: 'zoe' });
    await until(() => home.chat.textsIn('talk-1').at(-1) === 'You are paired as zoe.', 'the notice', 30_000);

    const call = JSON.stringify({ connector: 'memory', channel: 'general', text: 'Closed on Monday.' });
    model.next(
      [...llm.toolCalls([{ id: 'p1', name: 'post_message', arguments: call }]), ...llm.done('tool_calls')],
      [...llm.text('I have proposed it.'), ...llm.done()],
    );
    const asked = (await ada.cli(['ask', 'Tell everybody.', '--json'])).json<{
      pending_approvals?: string[];
    }>();
    const [approval = ''] = asked.pending_approvals ?? [];
    const shown = (await ada.cli(['approval', 'show', approval, '--json'])).json<{ digest: string }>();
    const approved = await ada.cli(['approval', 'approve', approval, '--digest', shown.digest]);
    expect({ code: approved.code, err: approved.err }).toEqual({ code: 0, err: '' });
    await until(() => home.chat.textsIn('general').includes('Closed on Monday.'), 'the post', 30_000);
    expect((await ada.cli(['audit', 'verify', '--json'])).json()).toMatchObject({ ok: true });
  });

  test('without a certificate, or with one of another CA, the handshake fails', async () => {
    const { key } = ada.credentials();
    const theirs = await foreign(key, 'user_00000000000000000001' as never, Date.now()); // safe: some id
    const peers: readonly Shown[] = [
      {},
      { cert: theirs.client.certPem, key: theirs.client.keyPem },
      { cert: theirs.proxy.certPem, key: theirs.proxy.keyPem },
    ];
    for (const peer of peers) await expect(asked(peer)).rejects.toThrow(/alert|reset|hang up/i);
    expect(await asked(shownBy(ada))).toBe(200);
  });

  test('a forged header changes nothing: the certificate of the connection counts', async () => {
    const bo = newMachine(home, 'bo');
    await enrol(bo, 'bo');
    const bootId = await bootIdOf(caddy.adminUrl, shownBy(ada));
    const wire = await signGet(ada, bootId, WHOAMI);
    const der = ada.credentials().certPem.replace(/-----[^-]+-----|\s/g, '');
    const forged = { ...wire, headers: { ...wire.headers, [CERTIFICATE_HEADER]: der } };
    expect(await statusOf(await sendTls(caddy.adminUrl, shownBy(bo), forged))).toBe(401);
  });

  test('past Caddy, straight to the runtime: only our proxy gets a hearing', async () => {
    const direct = `https://${runtimeAdmin}`;
    await expect(asked({}, direct)).rejects.toThrow(/alert|reset|hang up/i);
    // A member's own certificate opens the connection there, but it is no proxy's.
    expect(await asked(shownBy(ada), direct)).toBe(401);
    const bootId = await bootIdOf(caddy.adminUrl, shownBy(ada));
    const wire = await signGet(ada, bootId, WHOAMI);
    const der = ada.credentials().certPem.replace(/-----[^-]+-----|\s/g, '');
    const forged = { ...wire, headers: { ...wire.headers, [CERTIFICATE_HEADER]: der } };
    expect(await statusOf(await sendTls(direct, shownBy(ada), forged))).toBe(401);
  });

  test('the public host has the public paths and nothing else, with the headers that browsers want', async () => {
    const health = await fetch(`${caddy.publicUrl}/healthz`);
    expect(health.status).toBe(200);
    expect(health.headers.get('strict-transport-security')).toContain('max-age=31536000');
    for (const [name, value] of [
      ['x-content-type-options', 'nosniff'],
      ['x-frame-options', 'DENY'],
      ['referrer-policy', 'no-referrer'],
      ['server', null],
    ] as const)
      expect([name, health.headers.get(name)]).toEqual([name, value]);
    for (const path of [
      `${ADMIN_PREFIX}/hello`,
      `${ADMIN_PREFIX}/status`,
      '/metrics',
      '/',
      '/v2/events',
      '//admin/v1/hello',
      '/v1/../admin/v1/hello',
      '/v1/%2e%2e/admin/v1/hello',
    ])
      expect([path, (await fetch(caddy.publicUrl + path)).status]).toEqual([path, 404]);
    const { secret } = await newToken(home, 'site');
    const sent = await post({ url: caddy.publicUrl }, secret, { text: 'ping' });
    expect(sent.status).toBe(202);
    const large = await post({ url: caddy.publicUrl }, secret, { text: 'x'.repeat(1_200_000) });
    expect([413, 502]).toContain(large.status);
  });

  test('headers by which a client could say who it is do not get through', async () => {
    const seen: Record<string, unknown>[] = [];
    const echo = createServer((incoming, outgoing) => {
      seen.push({ ...incoming.headers });
      outgoing.end();
    });
    await new Promise<void>((resolve) => echo.listen(0, '127.0.0.1', () => resolve()));
    const { port } = echo.address() as AddressInfo; // safe: it listens on TCP
    const [publicPort, adminPort] = [await freePort(), await freePort()];
    const before = await startCaddy({
      home,
      publicPort,
      adminPort,
      runtimePublic: `127.0.0.1:${port}`,
      runtimeAdmin,
    });
    const forged = {
      'X-Agent-Runtime-Client-Certificate': 'x',
      'X-Client-Cert': 'x',
      'X-Client-Subject': 'x',
      'X-Forwarded-Client-Cert': 'x',
      'X-SSL-Client-Verify': 'SUCCESS',
      'X-Remote-User': 'ada',
      Forwarded: 'for=127.0.0.1',
      'X-Kept': 'yes',
    };
    await fetch(`${before.publicUrl}/healthz`, { headers: forged });
    expect(seen).toHaveLength(1);
    const names = Object.keys(forged).map((name) => name.toLowerCase());
    expect(names.filter((name) => seen[0]?.[name] !== undefined)).toEqual(['x-kept']);
    await before.stop();
    echo.close();
  });

  test('a captured request is worthless a second time, and after a restart', async () => {
    const shown = shownBy(ada);
    const captured = await signGet(ada, await bootIdOf(caddy.adminUrl, shown), WHOAMI);
    expect(await statusOf(await sendTls(caddy.adminUrl, shown, captured))).toBe(200);
    expect(await statusOf(await sendTls(caddy.adminUrl, shown, captured))).toBe(401);
    const fresh = await signGet(ada, await bootIdOf(caddy.adminUrl, shown), WHOAMI);
    await runtime.stop();
    runtime = await home.start({ AGENT_RUNTIME_PUBLIC_LISTEN: new URL(runtime.url).host }, ['up', '--json']);
    expect(await statusOf(await sendTls(caddy.adminUrl, shown, fresh))).toBe(401);
    expect((await ada.cli(['status', '--json'])).code).toBe(0);
  });

  test('reloading under load loses no command and doubles none', async () => {
    const { secret } = await newToken(home, 'load');
    let isOver = false;
    const runs = new Map<string, Set<string>>();
    const send = async (key: string): Promise<void> => {
      // A connection that a reload cuts is tried again with the same key, as every client of this API should.
      for (;;) {
        const answer = await post({ url: caddy.publicUrl }, secret, {
          text: 'ping',
          conversation_key: key,
          idempotency_key: key,
        }).catch(() => undefined);
        if (answer === undefined || answer.status === 502) continue;
        expect(answer.status).toBe(202);
        const { run_id: run } = (await answer.json()) as { readonly run_id: string }; // safe: the public contract
        runs.set(key, (runs.get(key) ?? new Set()).add(run));
        return;
      }
    };
    const load = Array.from({ length: 3 }, async (_one, client) => {
      for (let n = 0; !isOver && n < 30; n += 1) await send(`load-${client}-${n}`);
    });
    for (let time = 0; time < 10; time += 1) expect(await caddy.reload()).toBe(0);
    isOver = true;
    await Promise.all(load);
    expect(runs.size).toBeGreaterThan(10);
    for (const key of runs.keys()) await send(key);
    expect([...runs.values()].every((answers) => answers.size === 1)).toBe(true);
    expect(new Set([...runs.values()].flatMap((answers) => [...answers])).size).toBe(runs.size);
  });

  test('a revoked certificate is refused at once, and its open stream ends within a second', async () => {
    const cy = newMachine(home, 'cy');
    await enrol(cy, 'cy');
    const shown = shownBy(cy);
    const bootId = await bootIdOf(caddy.adminUrl, shown);
    const stream = await sendTls(caddy.adminUrl, shown, await signGet(cy, bootId, '/events'));
    expect(stream.statusCode).toBe(200);
    const ended = new Promise<number>((resolve) => {
      for (const event of ['end', 'error', 'close']) stream.once(event, () => resolve(performance.now()));
    });
    stream.resume();
    const [row] = (await home.cli(['cert', 'list', '--json'])).json<{
      items: { id: string; user: string }[];
    }>().items;
    expect(row?.user).toBe('cy');
    let revokedAt = 0;
    const watch = until401(shown, cy, bootId).then((at) => {
      revokedAt = at;
    });
    expect((await home.cli(['cert', 'revoke', row?.id ?? ''])).code).toBe(0);
    await watch;
    // Both are measured against the first refusal that another connection met.
    expect((await ended) - revokedAt).toBeLessThan(1_000);
    expect((await cy.cli(['status'])).code).toBe(3);
  });

  async function until401(shown: Shown, machine: Machine, bootId: string): Promise<number> {
    for (;;) {
      const answer = await statusOf(
        await sendTls(caddy.adminUrl, shown, await signGet(machine, bootId, WHOAMI)),
      );
      if (answer === 401) return performance.now();
    }
  }

  test('a new CA takes over: old certificates go on, new ones work, until the old CA is distrusted', async () => {
    expect((await ada.cli(['cert', 'rotate-ca'])).code).toBe(0);
    expect(await caddy.reload()).toBe(0);
    expect((await ada.cli(['status', '--json'])).code).toBe(0);
    const di = newMachine(home, 'di');
    await enrol(di, 'di');
    expect((await di.cli(['status', '--json'])).code).toBe(0);
    const refused = await di.cli(['cert', 'rotate-ca', '--json']);
    expect(refused.json()).toMatchObject({ error: { code: 'certificate.rollover.conflict' } });
    expect((await di.cli(['cert', 'rotate-ca', '--distrust-old'])).code).toBe(0);
    // Caddy still has the old list: the runtime refuses by itself.
    for (const machine of [ada, di]) expect((await machine.cli(['status'])).code).toBe(3);
    expect(await caddy.reload()).toBe(0);
    for (const machine of [ada, di]) expect((await machine.cli(['status'])).code).toBe(3);
    const ed = newMachine(home, 'ed');
    await enrol(ed, 'ed');
    expect((await ed.cli(['status', '--json'])).code).toBe(0);
  });
});
