import { randomBytes } from 'node:crypto';
import { mkdirSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { type HttpToken, isFinalRun, type RunId } from '@agent-runtime/domain';
import {
  crashPoints,
  type LlmServer,
  llm,
  type ManualClock,
  manualClock,
  recordingLogger,
  startLlmServer,
  until,
} from '@agent-runtime/testkit';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type Appliance, openAppliance } from '../assembly/appliance.ts';
import { secretRedactor } from '../assembly/secrets.ts';
import { readMasterKey } from '../command/master-key.ts';
import { readConfig } from '../config.ts';
import { systemIds } from '../system/ids.ts';
import { type Home, newHome, newToken, ROOT } from './journey.fixture.ts';

const IS_SOAK = process.env.SOAK === '1';
/** With two more hours than a day, so that what lasts a day ends in it. */
const HOURS = IS_SOAK ? 26 : 1;
const HOUR_MS = 3_600_000;
const MINUTE_MS = 60_000;

let server: LlmServer;
let home: Home;
let clock: ManualClock;
let appliance: Appliance;
let token: HttpToken;
const log = recordingLogger();

beforeAll(async () => {
  server = await startLlmServer({ fallback: () => [...llm.text('an answer'), ...llm.done()] });
  home = newHome({ AGENT_RUNTIME_LLM_BASE_URL: server.baseUrl, AGENT_RUNTIME_LLM_MODEL: 'emulated' });
  const runtime = await home.start();
  await newToken(home, 'day');
  await runtime.stop();
  clock = manualClock(Date.now());
  const config = readConfig(home.env, ROOT);
  mkdirSync(config.memoryDir ?? home.folder, { recursive: true });
  const ids = systemIds(clock, (size) => randomBytes(size));
  appliance = await openAppliance(
    {
      config,
      root: ROOT,
      clock,
      ids,
      crash: crashPoints.none(),
      version: '0.0.0',
      bootId: ids.secret(144),
      out: () => undefined,
      err: () => undefined,
      runtimeDir: home.folder,
      logFormat: 'json',
      isTerminal: false,
      isJson: true,
      confirm: async () => undefined,
      stopped: new Promise(() => undefined),
      onUncaught: () => undefined,
      exit: () => {
        throw new Error('nothing here ends the process');
      },
    },
    readMasterKey(config),
    log,
    secretRedactor([]),
  );
  [token] = (await appliance.deps.store.read.find('identity_token', {})) as [HttpToken]; // safe: made above
}, 60_000);

afterAll(async () => {
  await appliance?.drain(1_000);
  await appliance?.close();
  await home.remove();
  await server.close();
});

let asked = 0;
async function ask(text: string): Promise<void> {
  asked += 1;
  const accepted = await appliance.engine.accept({
    event: {
      source: `http:${token.id}`,
      externalId: `key:${asked}`,
      kind: 'message',
      channel: { id: token.context, kind: 'http', title: token.name },
      sender: { id: `${token.id}:ann`, displayName: 'ann', isBot: false },
      text,
      isAddressed: true,
      isRelayed: false,
      sentAt: clock.nowMs(),
    },
    door: 'http',
    conversationKey: `${token.id}:talk`,
    authenticated: {
      principal: { kind: 'token', token: token.id, owner: token.owner, workspace: token.workspace },
      context: token.context,
    },
  });
  const id = accepted.run as RunId; // safe: a question of a member starts a run
  await until(
    async () => isFinalRun((await read().get('run', { id }))?.state ?? 'queued'),
    `the end of ${id}`,
  );
}

const read = () => appliance.deps.store.read;
const MIB = 1_048_576;
// A leak shows in what is left after a collection; RSS also holds what the collector of the test's own process has not looked at yet.
setFlagsFromString('--expose-gc');
const collect = runInNewContext('gc') as () => void; // safe: the flag makes it
function memory(): { readonly heapMiB: number; readonly rssMiB: number } {
  collect();
  const { heapUsed, rss } = process.memoryUsage();
  return { heapMiB: heapUsed / MIB, rssMiB: rss / MIB };
}

const handles = (): number => process.getActiveResourcesInfo().length;
const checkpoints = (): number =>
  readFileSync(join(home.dataDir, 'audit/checkpoints.jsonl'), 'utf8').trim().split('\n').length;
const databaseBytes = (): number =>
  ['meta.sqlite', 'meta.sqlite-wal'].reduce(
    (sum, name) => sum + statSync(join(home.dataDir, 'agent-runtime', name)).size,
    0,
  );

/** A minute at a time: an hour in one go would keep everything alive that is waited for. */
async function pass(ms: number): Promise<void> {
  for (let left = ms; left > 0; left -= MINUTE_MS) await clock.advance(Math.min(left, MINUTE_MS));
}

test(`${HOURS} hours on a clock that runs ahead: nothing grows, nothing is forgotten, an idle hour calls no model`, {
  timeout: IS_SOAK ? 1_800_000 : 120_000,
}, async () => {
  const post = JSON.stringify({ connector: 'memory', channel: 'general', text: 'We are open.' });
  server.next(
    [...llm.toolCalls([{ id: 'p1', name: 'post_message', arguments: post }]), ...llm.done('tool_calls')],
    [...llm.text('proposed'), ...llm.done()],
  );
  await ask('tell everybody');
  await pass(MINUTE_MS);
  const before = {
    ...memory(),
    handles: handles(),
    sleeping: clock.sleeping,
    checkpoints: checkpoints(),
    bytes: databaseBytes(),
  };
  let idleCalls = 0;
  const startedAt = performance.now();
  for (let hour = 0; hour < HOURS; hour += 1) {
    // Three in one hour, then nothing for longer than a conversation rests, at night.
    if (hour < 10 || hour >= 20) for (const n of [1, 2, 3]) await ask(`question ${hour}.${n}`);
    const calls = server.requests.length;
    await pass(HOUR_MS);
    idleCalls += server.requests.length - calls;
  }
  const [approval] = await read().find('approval', {});
  const after = memory();
  const heapMiB = after.heapMiB - before.heapMiB;
  console.info(
    `${HOURS} h in ${Math.round((performance.now() - startedAt) / 1_000)} s: ${asked} questions, heap ${heapMiB.toFixed(1)} MiB and RSS ${(after.rssMiB - before.rssMiB).toFixed(1)} MiB more, handles ${before.handles} -> ${handles()}, sleeps ${before.sleeping} -> ${clock.sleeping}, checkpoints ${before.checkpoints} -> ${checkpoints()}, database ${Math.round((databaseBytes() - before.bytes) / 1024)} KiB more, idle model calls ${idleCalls}`,
  );
  expect(idleCalls).toBe(0);
  // Loops that were at work at the first look sleep at the second.
  expect(clock.sleeping).toBeLessThanOrEqual(before.sleeping + 3);
  expect(handles()).toBeLessThanOrEqual(before.handles + 5);
  // Most of it are the requests that the model's emulator keeps.
  expect(heapMiB).toBeLessThan(8);
  expect(log.lines.filter(({ level }) => level === 'error')).toEqual([]);
  // What was asked for stands in the records, whole.
  const logs = join(home.dataDir, 'workspaces', token.workspace, 'logs');
  const text = readdirSync(logs, { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.md'))
    .map((name) => readFileSync(join(logs, name), 'utf8'))
    .join('');
  expect(text.match(/question \d+\.\d/g)).toHaveLength(asked - 1);
  expect(await appliance.admin.auditCheck.verify()).toMatchObject({ isIntact: true });
  if (!IS_SOAK) return;
  expect(approval).toMatchObject({ state: 'expired' });
  expect(await read().count('context_conversation', { context: token.context, isOpen: false })).toBe(1);
  expect(checkpoints() - before.checkpoints).toBeGreaterThan(10);
});
