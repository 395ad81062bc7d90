import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import {
  callTool,
  type MemorySearch,
  memorySearch,
  type Script,
  type ScriptedMove,
  type ScriptedProvider,
  say,
  scriptedProvider,
} from '@agent-runtime/adapters';
import {
  type InboundEvent,
  isFinalRun,
  type LlmMessage,
  type ModelRoute,
  type Run,
  type TaskId,
  type UserId,
  type WorkspaceFiles,
  type WorkspaceSettings,
} from '@agent-runtime/domain';
import { makeWorkspaceFiles } from '@agent-runtime/store';
import { crashPoints, recordingLogger, until } from '@agent-runtime/testkit';
import { afterEach, beforeEach } from 'vitest';
import type { Accepted, Arrival, Engine, EngineDeps } from '../api.ts';
import { makeEngine } from '../engine.ts';
import {
  BOSS,
  CONFIG,
  makeWorld,
  must,
  ORIGIN,
  person,
  TEST_AUDIT,
  WORKSPACE,
  type World,
} from '../settle/world.fixture.ts';

export { callTool, say };

/** The platform's ids of people; `mia` is a member, `olga` an operator, `boss` an admin, everybody else is a stranger. */
export const PLATFORM_IDS: Readonly<Record<string, UserId>> = {
  boss: BOSS,
  olga: 'user_00000000000000000002' as UserId, // safe: alphabet of ids
  mia: 'user_00000000000000000004' as UserId, // safe: alphabet of ids
};

export const ROUTE: ModelRoute = {
  name: 'main',
  provider: 'scripted',
  model: 'scripted-1',
  taskKinds: [],
  clearance: { kind: 'all' },
  contextTokens: 100_000,
  maxOutputTokens: 1_000,
  inputUsdMicrosPerMTok: 1_000_000,
  outputUsdMicrosPerMTok: 2_000_000,
};

/** A whole engine over a real store and real files, with a scripted model and a manual clock. */
export interface Stage {
  readonly world: World;
  readonly deps: EngineDeps;
  readonly engine: Engine;
  readonly provider: ScriptedProvider;
  readonly files: WorkspaceFiles;
  /** What the model does from the next call on; the default says "ok". */
  script: Script;
  /** Somebody says something in the channel of `ops`, addressed to us unless said. */
  tell(text: string, more?: Partial<Said>): Promise<Accepted>;
  /** As `tell`, by an authenticated door. @param by a token, say; who said it unless given */
  post(text: string, more?: Partial<Said>, by?: Arrival['authenticated']): Promise<Accepted>;
  run(id: string | undefined): Promise<Run>;
  /** The run once it is over and its answer has left. */
  settled(id: string | undefined): Promise<Run>;
  /** Texts that arrived in the chat, oldest first. */
  readonly heard: readonly string[];
  put(path: string, text: string): Promise<void>;
  /** A link of the host inside the workspace, to another folder of it. */
  link(to: string, path: string): Promise<void>;
  /** Changes the settings of the workspace. */
  set(settings: WorkspaceSettings): Promise<void>;
  /** Another process on the same data. */
  restart(overrides?: Partial<EngineDeps>): Promise<void>;
  /** The same without a drain: the first process dies where it stands. */
  crash(overrides?: Partial<EngineDeps>): Promise<void>;
}

export interface Said {
  readonly by: string;
  /** As shown; the id unless said. */
  readonly name: string;
  readonly key: string;
  readonly externalId: string;
  readonly channel: string;
  readonly channelKind: InboundEvent['channel']['kind'];
  readonly isAddressed: boolean;
  readonly isRelayed: boolean;
  readonly isBot: boolean;
  readonly kind: InboundEvent['kind'];
}

/** A fresh stage for each test of a file. */
export function useStage(overrides: Partial<EngineDeps> = {}): Stage {
  let folder = '';
  let world: World;
  let deps: EngineDeps;
  let engine: Engine;
  let provider: ScriptedProvider;
  let search: MemorySearch;
  let script: Script;
  let said = 0;

  const open = async (more: Partial<EngineDeps>): Promise<void> => {
    const files = makeWorkspaceFiles({
      root: join(folder, 'workspaces'),
      goodFolder: join(folder, 'good'),
      macKey: new Uint8Array(32).fill(3),
      store: world.deps.store,
      clock: world.clock,
      crash: crashPoints.none(),
      log: recordingLogger(),
    });
    deps = {
      ...world.deps,
      files,
      search,
      providers: [provider],
      routes: [ROUTE],
      config: { ...CONFIG, botName: 'helper_bot' },
      ...overrides,
      ...more,
    };
    engine = makeEngine(deps);
  };

  beforeEach(async () => {
    said = 0;
    folder = mkdtempSync(join(tmpdir(), 'run-'));
    mkdirSync(join(folder, 'workspaces', WORKSPACE), { recursive: true });
    world = await makeWorld(join(folder, 'data'));
    script = () => say('ok');
    provider = scriptedProvider({ script: (call) => script(call), clock: world.clock });
    search = memorySearch();
    await seedLinks(world);
    await open({});
    await engine.start();
  });
  afterEach(async () => {
    await stopped(engine, world);
    await world.close();
    rmSync(folder, { recursive: true, force: true });
  });

  const arrive = (text: string, more: Partial<Said>): Arrival => {
    said += 1;
    const by = more.by ?? 'mia';
    return {
      event: {
        source: 'chat:test',
        externalId: more.externalId ?? `m${said}`,
        kind: more.kind ?? 'message',
        channel: { id: more.channel ?? 'ops-channel', kind: more.channelKind ?? 'channel', title: 'Ops' },
        sender: { id: by, displayName: more.name ?? by, isBot: more.isBot ?? false },
        text,
        isAddressed: more.isAddressed ?? true,
        isRelayed: more.isRelayed ?? false,
        sentAt: world.clock.nowMs(),
      },
      door: 'chat',
      conversationKey: more.key ?? 'ops',
    };
  };
  const run = async (id: string | undefined): Promise<Run> =>
    must(await world.deps.store.read.get('run', { id: must(id) as Run['id'] })); // safe: only compared

  return {
    get world() {
      return world;
    },
    get deps() {
      return deps;
    },
    get engine() {
      return engine;
    },
    get provider() {
      return provider;
    },
    get files() {
      return deps.files;
    },
    get script() {
      return script;
    },
    set script(next) {
      script = next;
    },
    tell: (text, more = {}) => engine.accept(arrive(text, more)),
    post: (text, more = {}, by = undefined) =>
      engine.accept({
        ...arrive(text, more),
        door: 'http',
        authenticated: by ?? { principal: person(must(PLATFORM_IDS[more.by ?? 'mia'])), context: ORIGIN },
      }),
    run,
    settled: async (id) => {
      await untilOver(world, must(id) as Run['id']); // safe: only compared
      return run(id);
    },
    get heard() {
      return world.chat.sent.map((one) => String(one.payload.text));
    },
    put: async (path, text) => {
      const file = join(folder, 'workspaces', WORKSPACE, path);
      mkdirSync(dirname(file), { recursive: true });
      writeFileSync(file, text);
      search.put(WORKSPACE, path, text);
    },
    link: async (to, path) => {
      const root = join(folder, 'workspaces', WORKSPACE);
      symlinkSync(join(root, to), join(root, path));
    },
    set: async (settings) => {
      await world.deps.store.commit(TEST_AUDIT, (tx) =>
        tx.update('workspace', { id: WORKSPACE }, { settings }),
      );
      await engine.settingsChanged();
    },
    crash: async (more = {}) => {
      world = await world.restart();
      await open(more);
      await engine.start();
    },
    restart: async (more = {}) => {
      await stopped(engine, world);
      world = await world.restart();
      await open(more);
      await engine.start();
    },
  };
}

/** Waits for a run's end and for its answer to have left. */
async function untilOver(world: World, id: Run['id']): Promise<void> {
  const { read } = world.deps.store;
  await until(async () => isFinalRun(must(await read.get('run', { id })).state), `the end of ${id}`);
  await until(
    async () =>
      (await read.count('effect', { class: 'E0', state: { in: ['approved', 'performing'] } })) === 0,
    'answers to leave',
  );
}

async function stopped(engine: Engine, world: World): Promise<void> {
  let isOver = false;
  const over = engine.drain(1).finally(() => {
    isOver = true;
  });
  for (let round = 0; round < 20 && !isOver; round += 1) await world.clock.advance(1_000);
  await over;
}

async function seedLinks(world: World): Promise<void> {
  await world.deps.store.commit(TEST_AUDIT, async (tx) => {
    for (const [externalId, user] of Object.entries(PLATFORM_IDS)) {
      await tx.insert('identity_link', {
        id: world.deps.ids.make('identity'),
        connector: 'chat',
        externalId,
        user,
        displayName: externalId,
        createdAt: world.clock.nowMs(),
      });
    }
  });
}

/** Replies in order; the last one is repeated. */
export function replies(...list: readonly (readonly ScriptedMove[])[]): Script {
  let next = 0;
  return () => {
    const reply = list[Math.min(next, list.length - 1)] ?? [];
    next += 1;
    return reply;
  };
}

/** Everything that a request showed to the model, as one text. */
export function shownTo(messages: readonly LlmMessage[] | undefined): string {
  return (messages ?? []).map((message) => message.text).join('\n');
}

/** Runs of a task in order of their attempts. */
export async function runsOf(stage: Stage, task: TaskId | undefined): Promise<readonly Run[]> {
  return stage.world.deps.store.read.find('run', { task: must(task) }, { orderBy: 'attempt' });
}
