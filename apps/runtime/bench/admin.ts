import { once } from 'node:events';
import { Agent, type IncomingMessage, request } from 'node:http';
import { Agent as TlsAgent, request as tlsRequest } from 'node:https';
import { join } from 'node:path';
import { ADMIN_PREFIX } from '@agent-runtime/domain';
import { type ClientKey, signRequest } from '@agent-runtime/pki';
import type { Home, Running } from '../src/journeys/journey.fixture.ts';
import { bootIdOf, newMachine, shownBy } from '../src/journeys/remote.fixture.ts';
import { spread, timeEach } from './measure.ts';

const PATH = `${ADMIN_PREFIX}/panic`;
const ROUNDS = 300;

/** What one admin request costs, ms at p50. */
export interface AdminCosts {
  /** The route alone: over the local socket, unsigned, on a kept connection. */
  readonly bareMs: number;
  /** The same over TLS with a client certificate, signed, on a kept connection. */
  readonly signedMs: number;
  /** The same with a handshake of its own. */
  readonly freshMs: number;
}

/**
 * Measures the same route without and with what the network asks for.
 * @param runtime started with an admin listener
 */
export async function adminCosts(home: Home, runtime: Running): Promise<AdminCosts> {
  const machine = newMachine(home, 'bench');
  const { code } = (await home.cli(['invite', 'create', '--json'])).json<{ code: string }>();
  await machine.cli(['enrol', '--url', runtime.url, '--invite', code]);
  const { adminUrl, key } = machine.credentials();
  const shown = shownBy(machine);
  const bootId = await bootIdOf(adminUrl, shown);
  const socketPath = join(home.dataDir, 'agent-runtime', 'admin.sock');
  const bare = new Agent({ keepAlive: true });
  const kept = new TlsAgent({ keepAlive: true, ...shown, rejectUnauthorized: false });
  const overTls = (agent: TlsAgent | false): Promise<void> =>
    ended(
      tlsRequest(new URL(PATH, adminUrl), {
        headers: { ...signed(key, bootId, new URL(adminUrl).host) },
        agent,
        ...(agent === false ? { ...shown, rejectUnauthorized: false } : {}),
      }),
    );
  const socket = (): Promise<void> => ended(request({ socketPath, path: PATH, agent: bare }));
  await timeEach(30, socket);
  await timeEach(30, () => overTls(kept));
  const costs = {
    bareMs: spread(await timeEach(ROUNDS, socket)).p50,
    signedMs: spread(await timeEach(ROUNDS, () => overTls(kept))).p50,
    freshMs: spread(await timeEach(60, () => overTls(false))).p50,
  };
  bare.destroy();
  kept.destroy();
  return costs;
}

function signed(key: ClientKey, bootId: string, authority: string) {
  return signRequest({
    method: 'GET',
    path: PATH,
    query: '',
    authority,
    body: new Uint8Array(),
    key,
    bootId,
    nowMs: Date.now(),
  });
}

async function ended(outgoing: ReturnType<typeof request>): Promise<void> {
  outgoing.end();
  const [response] = (await once(outgoing, 'response')) as [IncomingMessage]; // safe: the event's one argument
  response.resume();
  await once(response, 'end');
  if (response.statusCode !== 200) throw new Error(`the admin API answered ${response.statusCode}`);
}
