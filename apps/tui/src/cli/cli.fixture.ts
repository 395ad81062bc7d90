import {
  ADMIN_ROUTES,
  type AdminReply,
  type AdminRoute,
  type AdminRouteName,
  AppError,
  parseWire,
} from '@agent-runtime/domain';
import type { AdminClient, StreamEvent } from '../client/client.ts';
import { type FakeLog, fakeLog, memoryWitnesses } from '../client/witness.fixture.ts';
import { runCli } from './program.ts';
import type { World } from './world.ts';

/** Answers by route: a value, or a function of the input. */
export type Answers = { readonly [N in AdminRouteName]?: AdminReply<N> | ((input: never) => AdminReply<N>) };

export interface FakeWorld {
  readonly world: World;
  /** The log of the scripted server; its machine remembers nothing at first. */
  readonly log: FakeLog;
  /** What was asked, but for proofs about the log, in order: route, input, whether it was signed. */
  readonly calls: (readonly [AdminRouteName, unknown, 'signed' | 'unsigned'])[];
  readonly spawned: (readonly string[])[];
  readonly signed: string[];
  out(): string;
  err(): string;
  run(...argv: string[]): Promise<number>;
}

export interface FakeOptions {
  readonly answers?: Answers;
  readonly stream?: readonly StreamEvent[] | (() => AsyncIterable<StreamEvent>);
  readonly input?: string;
  readonly isTty?: boolean;
  readonly columns?: number;
  readonly exit?: number;
  readonly connect?: () => Promise<AdminClient>;
  readonly sleep?: World['sleep'];
  readonly places?: World['places'];
  readonly settings?: readonly string[];
}

/** A command line with a scripted server: answers must fit the contract, and so must what is asked. */
export function fakeWorld(options: FakeOptions = {}): FakeWorld {
  const calls: (readonly [AdminRouteName, unknown, 'signed' | 'unsigned'])[] = [];
  const spawned: (readonly string[])[] = [];
  const signed: string[] = [];
  const log = fakeLog();
  const witnesses = memoryWitnesses();
  let out = '';
  let err = '';
  const ask =
    (how: 'signed' | 'unsigned') =>
    async <N extends AdminRouteName>(name: N, input: unknown): Promise<AdminReply<N>> => {
      const route: AdminRoute = ADMIN_ROUTES[name];
      const asked = parseWire(route.input, input, 'request');
      if (name === 'audit.extension') return log.answer(asked) as AdminReply<N>; // safe: the answer of this route
      if (name === 'key.list' && options.answers?.[name] === undefined) throw notStaff();
      calls.push([name, input, how]);
      const scripted: unknown = options.answers?.[name];
      if (scripted === undefined)
        throw new AppError({ code: 'tui.fake.missing', kind: 'missing', message: `no answer for ${name}` });
      const answer: unknown = typeof scripted === 'function' ? await scripted(input) : scripted;
      return parseWire(route.reply, answer, 'answer') as AdminReply<N>; // safe: parsed by this route
    };
  const client: AdminClient = {
    call: ask('signed'),
    callUnsigned: ask('unsigned'),
    instanceId: async () => 'instance-1',
    stream: () => {
      const { stream = [] } = options;
      return typeof stream === 'function' ? stream() : all(stream);
    },
    signDecision: async (canonical) => {
      signed.push(canonical);
      return { keyId: 'k'.repeat(43), signature: 'AAAA' };
    },
  };
  const world: World = {
    places: options.places ?? {
      dataDir: '/nowhere/data',
      secretsDir: '/nowhere/secrets',
      configDir: '/nowhere/config',
      root: '/nowhere',
    },
    settings: options.settings ?? [],
    nodeVersion: '24.0.0',
    version: '1.2.3',
    isTty: options.isTty ?? false,
    useColor: false,
    columns: options.columns ?? 80,
    out: (text) => {
      out += text;
    },
    err: (text) => {
      err += text;
    },
    readInput: async () => options.input,
    nowMs: () => Date.UTC(2026, 10, 21),
    newKey: () => 'key-00000001',
    sleep: options.sleep ?? (async () => {}),
    runtime: async ({ args }) => {
      spawned.push(args);
      return options.exit ?? 0;
    },
    connect: options.connect ?? (async () => client),
    witnesses: async () => witnesses,
    enrolByUrl: async () => {
      throw new AppError({ code: 'tui.fake.missing', kind: 'missing', message: 'nobody to enrol with' });
    },
  };
  return {
    world,
    log,
    calls,
    spawned,
    signed,
    out: () => out,
    err: () => err,
    run: (...argv) => runCli(world, argv),
  };
}

function notStaff(): AppError {
  return new AppError({ code: 'policy.admin.denied', kind: 'denied', message: 'not for you' });
}

async function* all(events: readonly StreamEvent[]): AsyncIterable<StreamEvent> {
  yield* events;
}

/** One frame of a run's stream. */
export function frame(event: { readonly type: string; readonly [key: string]: unknown }): StreamEvent {
  return { event: event.type, data: JSON.stringify(event) };
}

export const AT = '2026-11-21T14:03:00.000Z';
export const DIGEST = `sha256:${'0'.repeat(64)}` as const;
