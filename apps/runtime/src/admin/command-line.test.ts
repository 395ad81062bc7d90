import { type ChildProcess, spawn } from 'node:child_process';
import { lstatSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Run } from '@agent-runtime/domain';
import type { ClientKey } from '@agent-runtime/pki';
import { until } from '@agent-runtime/testkit';
import { afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { type DoorWorld, LORD, makeDoor, sharedKey } from './admin.fixture.ts';
import { type AdminSocket, serveAdminSocket } from './socket.ts';

const BIN = fileURLToPath(new URL('../../../tui/bin/agent-runtime.mjs', import.meta.url));
const LIMIT_MS = 30_000;

let key: ClientKey;
let door: DoorWorld;
let folder: string;
let socket: AdminSocket;
let children: ChildProcess[];

beforeAll(async () => {
  key = await sharedKey();
}, 60_000);
beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'cli-'));
  children = [];
  door = await makeDoor(key);
  socket = await serveAdminSocket({ app: door.app, dataDir: join(folder, 'data'), runtimeDir: folder });
});
afterEach(async () => {
  for (const child of children) child.kill('SIGKILL');
  await socket.close();
  await door.opened.close();
  rmSync(folder, { recursive: true, force: true });
});

interface Ended {
  readonly code: number | null;
  readonly out: string;
  readonly err: string;
}

/** The real command line in a process of its own, with a home of its own. */
function cli(argv: readonly string[], input = ''): Promise<Ended> {
  const env = { PATH: process.env.PATH, HOME: folder, AGENT_RUNTIME_DATA_DIR: join(folder, 'data') };
  const child = spawn(process.execPath, [BIN, ...argv], { env, cwd: folder });
  children.push(child);
  let out = '';
  let err = '';
  child.stdout.on('data', (part) => {
    out += String(part);
  });
  child.stderr.on('data', (part) => {
    err += String(part);
  });
  child.stdin.end(input);
  return new Promise((resolve) => child.once('close', (code) => resolve({ code, out, err })));
}

const keyFolder = () => join(folder, '.config', 'agent-runtime', 'instance-1');
const lordsKeys = () => door.opened.store.read.find('identity_key', { user: LORD });

async function finish(run: Run): Promise<void> {
  await door.opened.store.commit({ action: 'test.change', actor: 'test', subject: run.id }, async (tx) =>
    tx.update(
      'run',
      { id: run.id },
      { state: 'succeeded', output: 'pong', citations: [{ path: 'faq.md', line: 1 }], finishedAt: 1 },
    ),
  );
  door.live.publish({ topic: run.id, kind: 'state', data: {} });
}

describe('the command line over the real socket', { timeout: LIMIT_MS }, () => {
  test('status needs no key and leaves none', async () => {
    const ended = await cli(['status', '--json']);
    expect(ended).toMatchObject({ code: 0, err: '' });
    expect(JSON.parse(ended.out)).toMatchObject({ ready: true, version: '1.2.3' });
    expect(await lordsKeys()).toHaveLength(1);
  });

  test('enrols by itself at first use, keeps the key to its owner, and signs with it from then on', async () => {
    const first = await cli(['user', 'add', 'ada', '--json']);
    expect(first).toMatchObject({ code: 0, err: '' });
    expect(lstatSync(keyFolder()).mode & 0o777).toBe(0o700);
    expect(readdirSync(keyFolder()).sort()).toEqual(['client-key.pem', 'credentials.json']);
    expect(lstatSync(join(keyFolder(), 'client-key.pem')).mode & 0o777).toBe(0o600);
    expect(await lordsKeys()).toHaveLength(2);
    expect(await cli(['user', 'show', 'ada'])).toMatchObject({ code: 0 });
    expect(await lordsKeys()).toHaveLength(2);
  });

  test('a revoked key is refused and not replaced by itself; enrol --force makes a new one', async () => {
    await cli(['user', 'list']);
    await door.opened.store.commit({ action: 'test.change', actor: 'test', subject: 'keys' }, async (tx) =>
      tx.update('identity_key', { user: LORD }, { revokedAt: 1 }),
    );
    const refused = await cli(['user', 'list', '--json']);
    expect(refused.code).toBe(3);
    expect(JSON.parse(refused.out)).toMatchObject({ error: { code: 'signature.key.unauthenticated' } });
    expect(await cli(['enrol'])).toMatchObject({ code: 6 });
    expect(await cli(['enrol', '--force'])).toMatchObject({ code: 0 });
    expect(await cli(['user', 'list'])).toMatchObject({ code: 0 });
  });

  test('ask waits for the answer and prints exactly one line of JSON', async () => {
    const ending = cli(['ask', 'ping', '--json']);
    await until(() => door.runs.length === 1, 'the question', LIMIT_MS);
    const [run] = door.runs;
    if (run === undefined) throw new Error('no run');
    await until(() => door.live.listeners > 0, 'the stream', LIMIT_MS);
    await finish(run);
    const ended = await ending;
    expect(ended).toMatchObject({ code: 0, err: '' });
    expect(ended.out).toBe(
      `{"run_id":"${run.id}","status":"succeeded","output":"pong","citations":[{"path":"faq.md","line":1}]}\n`,
    );
  });

  test('ask --timeout ends with 75 while the run goes on', async () => {
    const ended = await cli(['ask', 'ping', '--json', '--timeout', '0.2']);
    expect(ended.code).toBe(75);
    expect(JSON.parse(ended.out)).toMatchObject({ status: 'running' });
  });

  test('an invite made on one machine enrols another', async () => {
    const { out } = await cli(['invite', 'create', '--json']);
    const { code } = JSON.parse(out) as { readonly code: string }; // safe: used as such
    expect(await cli(['enrol', '--invite', code])).toMatchObject({ code: 0 });
    expect(await cli(['enrol', '--invite', code, '--force'])).toMatchObject({ code: 3 });
    expect(await cli(['enrol', '--invite', code.replace(/.$/, '!'), '--force'])).toMatchObject({ code: 2 });
  });

  test('without a runtime it says how to start one', async () => {
    await socket.close();
    const ended = await cli(['task', 'list']);
    expect(ended.code).toBe(8);
    expect(ended.err).toContain('npm start');
  });
});
