import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { appendFileSync, existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { type AskResult, applyTextEvent, type JsonObject, runEventSchema } from '@agent-runtime/domain';
import { until } from '@agent-runtime/testkit';

/** The clone whose programs are run. */
export const ROOT = fileURLToPath(new URL('../../../..', import.meta.url)).replace(/\/$/, '');
/** The runtime that kills itself at chosen points: `crash-main.fixture.ts`. */
export const MORTAL = join(ROOT, 'scripts/mortal-runtime.mjs');
const RUNTIME = join(ROOT, 'apps/runtime/bin/runtime.mjs');
/** As `npm start` gives them. */
const FLAGS = JSON.parse(readFileSync(join(ROOT, 'apps/runtime/node-flags.json'), 'utf8')) as string[]; // safe: a file of this clone
const CLI = join(ROOT, 'apps/tui/bin/agent-runtime.mjs');
const START_LIMIT_MS = 120_000;

export type Env = Readonly<Record<string, string>>;

/** What a program left behind. */
export interface Ended {
  readonly code: number;
  readonly out: string;
  readonly err: string;
  /** Standard output as JSON. */
  json<T>(): T;
}

/** A running runtime. */
export interface Running {
  readonly url: string;
  /** Everything that the ready line says. */
  readonly ready: Readonly<Record<string, unknown>>;
  readonly pid: number;
  /** Log so far. */
  log(): string;
  /** SIGTERM, then waits. @returns exit code */
  stop(): Promise<number>;
  /** Sends a signal and does not wait. */
  signal(name: 'SIGTERM' | 'SIGINT'): void;
  /** @returns exit code */
  ended(): Promise<number>;
  /** kill -9, then waits. */
  kill(): Promise<void>;
}

/** One machine: a data folder, its secrets, a person's keys, a memory chat. */
export interface Home {
  readonly folder: string;
  readonly dataDir: string;
  readonly chat: MemoryChat;
  /** Environment of every program in this home; later values win. */
  readonly env: Env;
  start(env?: Env, args?: readonly string[]): Promise<Running>;
  /** Runs the runtime's program to its end, e.g. `['setup', '--yes']`. */
  runtime(args: readonly string[], env?: Env): Promise<Ended>;
  cli(args: readonly string[], how?: { readonly input?: string; readonly env?: Env }): Promise<Ended>;
  ask(text: string, ...args: readonly string[]): Promise<AskResult>;
  remove(): Promise<void>;
}

/** The two files of the memory chat. */
export interface MemoryChat {
  say(line: {
    readonly id: string;
    readonly channel: string;
    readonly sender: string;
    readonly text: string;
  }): void;
  /** What arrived on the other side, oldest first. */
  delivered(): readonly {
    readonly id: string;
    readonly effect_id: string;
    readonly part: number;
    readonly address: string;
    readonly payload: JsonObject;
  }[];
  textsIn(channel: string): readonly string[];
}

/**
 * A new machine, not set up yet. The path is short: it must hold a socket.
 * @param program what `start` and `runtime` run, the runtime's own program unless said
 */
export function newHome(extra: Env = {}, program = RUNTIME): Home {
  const folder = mkdtempSync(join(tmpdir(), 'ar-'));
  const dataDir = join(folder, 'data');
  const env: Env = {
    PATH: process.env.PATH ?? '',
    HOME: join(folder, 'home'),
    XDG_CONFIG_HOME: join(folder, 'config'),
    AGENT_RUNTIME_DATA_DIR: dataDir,
    AGENT_RUNTIME_MEMORY_DIR: join(folder, 'chat'),
    AGENT_RUNTIME_PUBLIC_LISTEN: '127.0.0.1:0',
    AGENT_RUNTIME_METRICS_LISTEN: '',
    // Many machines at once share this one; journeys about TLS choose a port.
    AGENT_RUNTIME_ADMIN_LISTEN: '',
    ...extra,
  };
  const running = new Set<ChildProcess>();
  const home: Home = {
    folder,
    dataDir,
    env,
    chat: memoryChat(join(folder, 'chat')),
    start: (more = {}, args = ['up', '--setup', '--json']) =>
      startRuntime({ ...env, ...more }, [program, ...args], running),
    runtime: (args, more = {}) => run([program, ...args], { ...env, ...more }),
    cli: (args, how = {}) => run([CLI, ...args], { ...env, ...how.env }, how.input),
    ask: async (text, ...args) => (await home.cli(['ask', text, '--json', ...args])).json<AskResult>(),
    remove: async () => {
      for (const child of running) child.kill('SIGKILL');
      await Promise.all([...running].map((child) => ended(child)));
      rmSync(folder, { recursive: true, force: true });
    },
  };
  return home;
}

async function startRuntime(env: Env, args: readonly string[], running: Set<ChildProcess>): Promise<Running> {
  const child = spawn(process.execPath, [...FLAGS, ...args], {
    cwd: ROOT,
    env,
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  running.add(child);
  const output = collect(child);
  void once(child, 'exit').then(() => running.delete(child));
  const ready = (): string | undefined =>
    output
      .out()
      .split('\n')
      .find((line) => line.startsWith('{"ready"'));
  await until(() => ready() !== undefined || isOver(child), 'the runtime is ready', START_LIMIT_MS);
  const line = ready();
  if (line === undefined) throw new Error(`it did not start: ${output.out()}${output.err()}`);
  const said = JSON.parse(line) as Record<string, unknown>; // safe: the ready line of `up --json`
  return {
    url: String(said.public),
    ready: said,
    pid: child.pid ?? 0,
    log: output.err,
    stop: async () => {
      child.kill('SIGTERM');
      return ended(child);
    },
    signal: (name) => void child.kill(name),
    ended: () => ended(child),
    kill: async () => {
      child.kill('SIGKILL');
      await ended(child);
    },
  };
}

async function run(args: readonly string[], env: Env, input?: string): Promise<Ended> {
  const child = spawn(process.execPath, [...args], { cwd: ROOT, env, stdio: ['pipe', 'pipe', 'pipe'] });
  const output = collect(child);
  child.stdin.end(input ?? '');
  const code = await ended(child);
  const out = output.out();
  return {
    code,
    out,
    err: output.err(),
    json: <T>() => {
      try {
        return JSON.parse(out) as T; // safe: the caller checks what it uses
      } catch {
        throw new Error(`no JSON from ${args.slice(1).join(' ')} (exit ${code}): ${out}${output.err()}`);
      }
    },
  };
}

function collect(child: ChildProcess): { out(): string; err(): string } {
  const text = { out: '', err: '' };
  child.stdout?.setEncoding('utf8').on('data', (part: string) => {
    text.out += part;
  });
  child.stderr?.setEncoding('utf8').on('data', (part: string) => {
    text.err += part;
  });
  return { out: () => text.out, err: () => text.err };
}

function isOver(child: ChildProcess): boolean {
  return child.exitCode !== null || child.signalCode !== null;
}

async function ended(child: ChildProcess): Promise<number> {
  if (!isOver(child)) await once(child, 'close');
  return child.exitCode ?? -1;
}

function memoryChat(folder: string): MemoryChat {
  const outbox = join(folder, 'outbox.jsonl');
  const chat: MemoryChat = {
    say: (line) => appendFileSync(join(folder, 'inbox.jsonl'), `${JSON.stringify(line)}\n`),
    delivered: () =>
      existsSync(outbox)
        ? readFileSync(outbox, 'utf8')
            .split('\n')
            // A line that is being written has no end yet.
            .slice(0, -1)
            .filter((line) => line !== '')
            .map((line) => JSON.parse(line))
        : [],
    textsIn: (channel) =>
      chat
        .delivered()
        .filter(({ address }) => address === channel)
        .map(({ payload }) => String(payload.text)),
  };
  return chat;
}

/** A token of the HTTP door. @returns its secret */
export async function newToken(
  home: Home,
  name: string,
): Promise<{ readonly id: string; readonly secret: string }> {
  const made = await home.cli(['token', 'create', name, '--workspace', 'community', '--json']);
  const { id, secret } = made.json<{ id: string; secret: string }>();
  return { id, secret };
}

/** `POST /v1/events` as a client does it. */
export function post(
  runtime: Pick<Running, 'url'>,
  secret: string,
  body: Readonly<Record<string, unknown>>,
): Promise<Response> {
  return fetch(`${runtime.url}/v1/events`, {
    method: 'POST',
    headers: { Authorization: `Bearer ${secret}`, 'Content-Type': 'application/json' },
    body: JSON.stringify({
      schema_version: 1,
      type: 'message',
      conversation_key: 'c1',
      user_key: 'u1',
      ...body,
    }),
  });
}

export interface RunReply {
  readonly run_id: string;
  readonly status: string;
  readonly output?: string;
}

export async function getRun(runtime: Pick<Running, 'url'>, secret: string, id: string): Promise<RunReply> {
  const response = await fetch(`${runtime.url}/v1/runs/${id}`, {
    headers: { Authorization: `Bearer ${secret}` },
  });
  return (await response.json()) as RunReply; // safe: the public contract, tested elsewhere
}

/** Waits for the end of a run over HTTP. */
export async function whenDone(
  runtime: Pick<Running, 'url'>,
  secret: string,
  id: string,
  limitMs = 20_000,
): Promise<RunReply> {
  let last: RunReply = { run_id: id, status: 'queued' };
  await until(
    async () => {
      last = await getRun(runtime, secret, id);
      return ['succeeded', 'failed', 'aborted'].includes(last.status);
    },
    `the end of ${id}`,
    limitMs,
  );
  return last;
}

/** An open event stream of a run, put together as a client does it. */
export interface Followed {
  readonly ids: readonly number[];
  readonly kinds: readonly string[];
  /** The answer so far. */
  readonly answer: string;
  /** Everything that came over the wire. */
  readonly wire: string;
  /** Resolves when the server has closed the stream. */
  readonly closed: Promise<void>;
}

export async function follow(runtime: Pick<Running, 'url'>, secret: string, run: string): Promise<Followed> {
  const response = await fetch(`${runtime.url}/v1/runs/${run}/events`, {
    headers: { Authorization: `Bearer ${secret}` },
  });
  const state = { ids: [] as number[], kinds: [] as string[], answer: '', wire: '' };
  const read = async (): Promise<void> => {
    const decoder = new TextDecoder();
    let rest = '';
    for await (const part of response.body ?? []) {
      const text = decoder.decode(part, { stream: true });
      state.wire += text;
      const frames = (rest + text).split('\n\n');
      rest = frames.pop() ?? '';
      for (const frame of frames) take(frame);
    }
  };
  const take = (frame: string): void => {
    const data = /^data: (.*)$/m.exec(frame)?.[1];
    if (data === undefined) return;
    const id = /^id: (\d+)$/m.exec(frame)?.[1];
    const event = runEventSchema.parse(JSON.parse(data));
    state.kinds.push(event.type);
    if (id !== undefined) state.ids.push(Number(id));
    if (event.type === 'text') state.answer = applyTextEvent(state.answer, event);
  };
  return Object.assign(state, { closed: read() });
}
