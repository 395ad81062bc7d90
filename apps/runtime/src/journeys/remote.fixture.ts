import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, readdirSync, readFileSync } from 'node:fs';
import type { IncomingMessage } from 'node:http';
import { request } from 'node:https';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { ADMIN_PREFIX } from '@agent-runtime/domain';
import { type ClientKey, importClientKey, signRequest } from '@agent-runtime/pki';
import { until } from '@agent-runtime/testkit';
import { type Ended, type Env, type Home, ROOT } from './journey.fixture.ts';

/** Why Caddy's suites cannot run here; undefined: they can. */
export const NO_CADDY =
  spawnSync('caddy', ['version']).status === 0
    ? undefined
    : 'caddy is not installed (scripts/ci-packages.sh)';

/** A port that nobody listens on now. */
export async function freePort(): Promise<number> {
  const server = createServer();
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  server.close();
  await once(server, 'close');
  if (typeof address === 'string' || address === null) throw new Error('no port');
  return address.port;
}

/** Another machine of some person: no data folder, a configuration of its own. */
export interface Machine {
  readonly env: Env;
  cli(args: readonly string[], how?: { readonly input?: string }): Promise<Ended>;
  /** What enrolment left here. */
  credentials(): {
    readonly key: ClientKey;
    readonly certPem: string;
    readonly caPem: string;
    readonly adminUrl: string;
  };
}

export function newMachine(home: Home, name: string): Machine {
  const config = join(home.folder, name);
  const env = { XDG_CONFIG_HOME: config, AGENT_RUNTIME_DATA_DIR: join(home.folder, 'none') };
  return {
    env,
    cli: (args, how = {}) => home.cli(args, { ...how, env }),
    credentials: () => {
      const base = join(config, 'agent-runtime');
      const folder = join(base, readdirSync(base)[0] ?? '');
      const file = JSON.parse(readFileSync(join(folder, 'credentials.json'), 'utf8')) as {
        readonly certificate: string;
        readonly authorities: readonly string[];
        readonly admin_url: string;
      }; // safe: written by the command line under test
      return {
        key: importClientKey(readFileSync(join(folder, 'client-key.pem'), 'utf8')),
        certPem: file.certificate,
        caPem: file.authorities.join(''),
        adminUrl: file.admin_url,
      };
    },
  };
}

/** A signed request, ready to be sent as often as one likes. */
export interface Signed {
  readonly method: string;
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
}

/** Signs a GET of the admin API, e.g. `/whoami`. */
export async function signGet(
  machine: Machine,
  bootId: string,
  route: string,
  authority = new URL(machine.credentials().adminUrl).host,
): Promise<Signed> {
  const path = ADMIN_PREFIX + route;
  const headers = signRequest({
    method: 'GET',
    path,
    query: '',
    authority,
    body: new Uint8Array(),
    key: machine.credentials().key,
    bootId,
    nowMs: Date.now(),
  });
  return { method: 'GET', path, headers: { ...headers } };
}

/** What a connection shows of itself. */
export interface Shown {
  readonly cert?: string | undefined;
  readonly key?: string | undefined;
}

export function shownBy(machine: Machine): Shown {
  const { key, certPem } = machine.credentials();
  return { cert: certPem, key: key.privateKey.export({ type: 'pkcs8', format: 'pem' }).toString() };
}

/** @throws Error of the handshake */
export function sendTls(url: string, shown: Shown, wire: Signed): Promise<IncomingMessage> {
  return new Promise((resolve, reject) => {
    const outgoing = request(
      new URL(wire.path, url),
      { method: wire.method, headers: wire.headers, ...shown, rejectUnauthorized: false, agent: false },
      resolve,
    );
    outgoing.once('error', reject);
    outgoing.end();
  });
}

export async function statusOf(response: IncomingMessage): Promise<number> {
  response.resume();
  await once(response, 'end');
  return response.statusCode ?? 0;
}

/** The boot id that the runtime tells whoever shows a good certificate. */
export async function bootIdOf(url: string, shown: Shown): Promise<string> {
  const response = await sendTls(url, shown, { method: 'GET', path: `${ADMIN_PREFIX}/hello`, headers: {} });
  let text = '';
  for await (const part of response) text += String(part);
  return (JSON.parse(text) as { readonly boot_id: string }).boot_id; // safe: the contract of `hello`
}

/** A real Caddy with the project's own Caddyfile. */
export interface Caddy {
  readonly publicUrl: string;
  readonly adminUrl: string;
  log(): string;
  /** As after a change of certificates. @returns exit code */
  reload(): Promise<number>;
  stop(): Promise<void>;
}

export interface CaddyInput {
  readonly home: Home;
  readonly publicPort: number;
  readonly adminPort: number;
  /** host:port */
  readonly runtimePublic: string;
  readonly runtimeAdmin: string;
}

export async function startCaddy(input: CaddyInput): Promise<Caddy> {
  const { home, publicPort, adminPort } = input;
  const folder = join(home.folder, `caddy-${publicPort}`);
  mkdirSync(folder, { recursive: true });
  const env: Env = {
    PATH: process.env.PATH ?? '',
    HOME: folder,
    XDG_DATA_HOME: join(folder, 'data'),
    XDG_CONFIG_HOME: join(folder, 'config'),
    PUBLIC_SITE: `http://localhost:${publicPort}`,
    ADMIN_SITE: `https://localhost:${adminPort}`,
    RUNTIME_PUBLIC: input.runtimePublic,
    RUNTIME_ADMIN: input.runtimeAdmin,
    PROXY_DIR: join(home.folder, 'proxy'),
    CADDY_ADMIN: `unix/${join(folder, 'a.sock')}`,
  };
  const config = ['--config', join(ROOT, 'caddy/Caddyfile'), '--adapter', 'caddyfile'];
  const child = spawn('caddy', ['run', ...config], { env, stdio: ['ignore', 'pipe', 'pipe'] });
  let log = '';
  for (const stream of [child.stdout, child.stderr])
    stream.setEncoding('utf8').on('data', (part: string) => {
      log += part;
    });
  const publicUrl = `http://localhost:${publicPort}`;
  await until(
    async () => {
      if (child.exitCode !== null) throw new Error(`Caddy did not start: ${log}`);
      return (await fetch(`${publicUrl}/nothing`).catch(() => undefined)) !== undefined;
    },
    'Caddy answers',
    30_000,
  );
  return {
    publicUrl,
    adminUrl: `https://localhost:${adminPort}`,
    log: () => log,
    reload: async () => {
      const reload = spawn('caddy', ['reload', ...config, '--force', '--address', env.CADDY_ADMIN ?? ''], {
        env,
        stdio: 'ignore',
      });
      await once(reload, 'close');
      return reload.exitCode ?? -1;
    },
    stop: () => stopChild(child),
  };
}

async function stopChild(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null) return;
  child.kill('SIGTERM');
  await once(child, 'close');
}
