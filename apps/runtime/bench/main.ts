// `npm run bench`: what a turn costs, against a bare HTTP server with one durable insert, in one run on one machine.
// Prints a table, writes bench-results/latest.json. The model is an emulated server on loopback that answers at once.
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, writeFileSync } from 'node:fs';
import { cpus } from 'node:os';
import { join } from 'node:path';
import { startLlmServer } from '@agent-runtime/testkit';
import {
  type Env,
  follow,
  newHome,
  newToken,
  post,
  ROOT,
  type Running,
} from '../src/journeys/journey.fixture.ts';
import { adminCosts } from './admin.ts';
import { chatCosts } from './chat.ts';
import { fill } from './fill.ts';
import { processFacts, rate, spread, timeCommand, timeEach } from './measure.ts';

const TURNS = 300;
const LANES = 16;
const PER_LANE = 40;
const EMPTY_WORKSPACE = 'empty';
const SLOPE_MESSAGES = 5_000;

interface Row {
  readonly name: string;
  readonly value: number;
  readonly unit: string;
  readonly bound?: string;
}

const rows: Row[] = [];
const add = (name: string, value: number, unit: string, bound?: string): void => {
  rows.push({ name, value: Math.round(value * 100) / 100, unit, ...(bound === undefined ? {} : { bound }) });
};

const home = newHome({
  AGENT_RUNTIME_RATE_PER_MINUTE: '1000000',
  AGENT_RUNTIME_LOG_LEVEL: 'warn',
  AGENT_RUNTIME_ADMIN_LISTEN: '127.0.0.1:0',
});
const llmServer = await startLlmServer();
const baseline = await startBaseline(join(home.folder, 'baseline.sqlite'));
try {
  await bench();
} finally {
  baseline.child.kill('SIGTERM');
  await llmServer.close();
  await home.remove();
}
report();

async function bench(): Promise<void> {
  const floor = spread(await timeEach(TURNS, () => postBaseline()));
  const floorRate = await rate(LANES, PER_LANE * 4, () => postBaseline());
  add('baseline: http + FULL insert, p50', floor.p50, 'ms');
  add('baseline: p95', floor.p95, 'ms');
  add('baseline: 16 clients', floorRate, 'per s');

  await home.runtime(['setup', '--yes']);
  const model = { AGENT_RUNTIME_LLM_BASE_URL: llmServer.baseUrl, AGENT_RUNTIME_LLM_MODEL: 'bench' };
  // The very first start makes the CA, once for the life of the folder.
  await (await home.start(model, ['up', '--json'])).stop();
  const startedAt = performance.now();
  const runtime = await home.start(model, ['up', '--json']);
  add('start to ready', performance.now() - startedAt, 'ms', '800');
  const idle = processFacts(runtime.pid);
  add('RSS when ready', idle.rssMiB, 'MiB', '130');

  await home.cli(['workspace', 'create', EMPTY_WORKSPACE]);
  await home.ask('ping', '--workspace', EMPTY_WORKSPACE);
  const prompt = llmServer.requests.at(-1)?.body;
  add(
    'prompt of a one-line message, empty workspace',
    Buffer.byteLength(JSON.stringify(prompt)),
    'bytes',
    '4096',
  );

  const { secret } = await newToken(home, 'bench');
  const turn = turnOf(runtime, secret);
  await timeEach(30, (index) => turn('warm', `warm ${index}`));
  const before = processFacts(runtime.pid);
  const turns = spread(await timeEach(TURNS, (index) => turn(`c${index}`, `question ${index}`)));
  const after = processFacts(runtime.pid);
  add('turn: accept to reply over HTTP, p50', turns.p50, 'ms', '8');
  add('turn: p95', turns.p95, 'ms', '25');
  add('turn p50 / baseline p50', turns.p50 / floor.p50, 'times');
  add('CPU per turn', (after.cpuMs - before.cpuMs) / TURNS, 'ms', '8');
  add('written per turn', (after.writtenBytes - before.writtenBytes) / TURNS / 1024, 'KiB', '64');
  const perSecond = await rate(LANES, PER_LANE, (lane, index) => turn(`lane${lane}`, `question ${index}`));
  add('turns over 16 conversations', perSecond, 'per s', '200');
  add('baseline rate / turn rate', floorRate / perSecond, 'times');
  add('RSS after the turns', processFacts(runtime.pid).rssMiB, 'MiB', '160');

  await memoryOver(runtime, turn);

  const admin = await adminCosts(home, runtime);
  add('admin request: the route alone (socket, unsigned), p50', admin.bareMs, 'ms');
  add('admin request: mTLS and signature, p50', admin.signedMs, 'ms');
  add('mTLS and signature / the route alone', admin.signedMs / admin.bareMs, 'times');
  add('admin request: with a handshake of its own, p50', admin.freshMs, 'ms');

  const cli = join(ROOT, 'apps/tui/bin/agent-runtime.mjs');
  add('command line: --help', timeCommand([cli, '--help'], { ...home.env }, 5), 'ms', '200');
  add('command line: status', timeCommand([cli, 'status', '--json'], { ...home.env }, 5), 'ms', '350');
  add('node -e 0', timeCommand(['-e', '0'], { ...home.env }, 5), 'ms');

  await runtime.kill();
  const againAt = performance.now();
  const again = await home.start(model, ['up', '--json']);
  add('kill -9 to ready again', performance.now() - againAt, 'ms');
  const reply = await turnOf(again, secret)('after', 'are you there?').then(() => performance.now());
  add('kill -9 to the next reply', reply - againAt, 'ms', '2000');
  await again.stop();
  await longLife(model, secret);
  for (const [name, value, unit, bound] of await chatCosts(model, llmServer)) add(name, value, unit, bound);
}

/** RSS and its slope over the rest of 5,000 messages (a turn has two), in 16 conversations at once. */
async function memoryOver(runtime: Running, turn: Turn): Promise<void> {
  const before = processFacts(runtime.pid).rssMiB;
  await rate(LANES, Math.ceil(SLOPE_MESSAGES / 2 / LANES), (lane, index) =>
    turn(`slope${lane}`, `more ${index}`),
  );
  const { rssMiB } = processFacts(runtime.pid);
  add(`RSS after ${SLOPE_MESSAGES} more messages`, rssMiB, 'MiB', '160');
  add('RSS slope per 1,000 messages', ((rssMiB - before) * 1_000) / SLOPE_MESSAGES, 'MiB');
}

/** Numbers of a store with history: turns over 1,000 and 100,000 messages, start with 10,000 runs, verification of the log. */
async function longLife(model: Env, secret: string): Promise<void> {
  const place = { env: { ...home.env } };
  const latency = async (name: string): Promise<number> => {
    const runtime = await home.start(model, ['up', '--json']);
    const turn = turnOf(runtime, secret);
    await timeEach(30, (index) => turn('warm again', `warm ${index}`));
    const { p95 } = spread(await timeEach(TURNS, (index) => turn(`long${index % 10}`, `question ${index}`)));
    add(`turn p95 with ${name} stored messages`, p95, 'ms');
    await runtime.stop();
    return p95;
  };
  const few = await latency('a few 1,000');
  await fill({ ...place, runs: 10_000, auditRecords: 0 }, 0);
  const startedAt = performance.now();
  const runtime = await home.start(model, ['up', '--json']);
  add('start to ready with 10,000 stored runs', performance.now() - startedAt, 'ms', '800');
  await runtime.stop();
  await fill({ ...place, runs: 40_000, auditRecords: 100_000 }, 10_000);
  const many = await latency('100,000');
  add('p95 at 100,000 / at a few 1,000', many / few, 'times', '1.5');
  const last = await home.start(model, ['up', '--json']);
  const verifiedAt = performance.now();
  const verdict = (await home.cli(['audit', 'verify', '--json'])).json<{ count: number }>();
  add('audit verify per 100,000 records', ((performance.now() - verifiedAt) * 100_000) / verdict.count, 'ms');
  await last.stop();
}

type Turn = (key: string, text: string) => Promise<void>;

/** Accept to the end of the run's event stream. */
function turnOf(runtime: Running, secret: string): Turn {
  return async (key, text) => {
    const response = await post(runtime, secret, { conversation_key: key, text });
    const { run_id: run } = (await response.json()) as { run_id: string }; // safe: 202 of the public contract
    await (await follow(runtime, secret, run)).closed;
  };
}

async function postBaseline(): Promise<void> {
  const response = await fetch(`http://127.0.0.1:${baseline.port}/`, {
    method: 'POST',
    body: JSON.stringify({ text: 'question' }),
  });
  await response.json();
}

async function startBaseline(file: string): Promise<{ readonly child: ChildProcess; readonly port: number }> {
  mkdirSync(home.folder, { recursive: true });
  const child = spawn(process.execPath, [join(ROOT, 'apps/runtime/bench/baseline.ts'), file], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const [first] = (await once(child.stdout, 'data')) as [Buffer]; // safe: the ready line
  const { port } = JSON.parse(first.toString('utf8')) as { port: number }; // safe: baseline.ts wrote it
  return { child, port };
}

function report(): void {
  const width = Math.max(...rows.map(({ name }) => name.length));
  for (const { name, value, unit, bound } of rows) {
    const number = value.toFixed(value < 100 ? 2 : 0).padStart(9);
    process.stdout.write(
      `${name.padEnd(width)} ${number} ${unit.padEnd(6)} ${bound === undefined ? '' : `(bound ${bound})`}\n`,
    );
  }
  const folder = join(ROOT, 'bench-results');
  mkdirSync(folder, { recursive: true });
  const machine = {
    cpus: cpus().length,
    model: cpus()[0]?.model ?? '',
    node: process.version,
    platform: process.platform,
  };
  writeFileSync(
    join(folder, 'latest.json'),
    `${JSON.stringify({ at: new Date().toISOString(), machine, rows }, null, 2)}\n`,
  );
}
