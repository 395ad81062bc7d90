import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { filesSearch, type Script, scriptedProvider } from '@agent-runtime/adapters';
import type {
  Connector,
  Context,
  ContextId,
  Effect,
  JsonObject,
  UserId,
  WorkspaceFiles,
  WorkspaceId,
} from '@agent-runtime/domain';
import { makeWorkspaceFiles } from '@agent-runtime/store';
import { type RecordingLogger, recordingLogger } from '@agent-runtime/testkit';
import type { Arrival, Engine, EngineDeps } from './api.ts';
import { makeEngine } from './engine.ts';
import { ROUTE } from './run/run.fixture.ts';
import { type ArmedCrashPoints, armed } from './settle/outside.fixture.ts';
import {
  BOSS,
  CONFIG,
  contextRow,
  MEMBER,
  makeWorld,
  OPERATOR,
  SECOND,
  TEST_AUDIT,
  type World,
} from './settle/world.fixture.ts';

/** Everybody who is paired, by the platform's id; all others are strangers. */
export const PEOPLE: Readonly<Record<string, UserId>> = {
  boss: BOSS,
  olga: OPERATOR,
  otto: SECOND,
  mia: MEMBER,
};

/** Deaths here are thrown, not suffered: memory is as good as a disk, and far quicker. */
const FAST_FOLDER = existsSync('/dev/shm') ? '/dev/shm' : tmpdir();

export const MAC_KEY = new Uint8Array(32).fill(3);

/** One payload on its way out, with the place that it goes to. */
export interface Delivery {
  readonly effectId: Effect['id'];
  readonly part: number;
  readonly address: string;
  readonly payload: JsonObject;
}

/** A whole engine with real files and real store, in which a model does what a script says and a process may die. */
export interface House {
  readonly world: World;
  readonly deps: EngineDeps;
  readonly engine: Engine;
  readonly crash: ArmedCrashPoints;
  readonly folder: string;
  /** What arrived outside, oldest first. */
  readonly deliveries: readonly Delivery[];
  tell(words: Words): ReturnType<Engine['accept']>;
  /** Waits until nothing runs and nothing is due; advances time when only time is missing. A death ends the wait. */
  quiet(): Promise<void>;
  /** Another process on the same data; the old one ends where it stands. */
  restart(): Promise<void>;
  close(): Promise<void>;
}

export interface Words {
  readonly by: string;
  readonly channel: string;
  readonly text: string;
  readonly isRelayed?: boolean;
  readonly kind?: Arrival['event']['kind'];
  readonly name?: string;
  readonly authenticated?: Arrival['authenticated'];
  readonly externalId?: string;
}

export interface HouseInput {
  readonly script: Script;
  /** Content that is there before the first message; files with another label than their place's are written through the port. */
  readonly prepare: (deps: EngineDeps, folder: string) => Promise<void>;
  /** Looks at each payload before it arrives; what it throws is what the outside says. */
  readonly onDelivery?: (delivery: Delivery, house: House) => Promise<void>;
  readonly wrapFiles?: (files: WorkspaceFiles) => WorkspaceFiles;
  /** Time stands still unless the caller moves it: two houses of one seed then live through the same instants. */
  readonly isTimeStill?: boolean;
  readonly overrides?: (deps: EngineDeps) => Partial<EngineDeps>;
}

/** @returns a started house; the caller closes it */
export async function openHouse(input: HouseInput): Promise<House> {
  const folder = mkdtempSync(join(FAST_FOLDER, 'foe-'));
  const deliveries: Delivery[] = [];
  let crash = armed();
  let world = await makeWorld(join(folder, 'data'), { crash });
  let deps = world.deps;
  let engine: Engine;
  let said = 0;
  const provider = scriptedProvider({ script: (call) => input.script(call), clock: world.clock });

  const connectors = (): readonly Connector[] =>
    world.deps.connectors.map((one) =>
      one.name !== 'chat'
        ? one
        : {
            ...one,
            deliver: async (payload, to, signal) => {
              const delivery = {
                effectId: to.effectId as Effect['id'], // safe: the engine made it
                part: to.part,
                address: to.sink.address,
                payload,
              };
              await input.onDelivery?.(delivery, house);
              const receipt = await one.deliver(payload, to, signal);
              deliveries.push(delivery);
              return receipt;
            },
          },
    );
  const build = (): void => {
    const plain = makeWorkspaceFiles({
      root: join(folder, 'workspaces'),
      goodFolder: join(folder, 'good'),
      macKey: MAC_KEY,
      store: world.deps.store,
      clock: world.clock,
      crash,
      log: recordingLogger(),
    });
    const files = input.wrapFiles?.(plain) ?? plain;
    const base: EngineDeps = {
      ...world.deps,
      files,
      search: filesSearch({ files }),
      providers: [provider],
      routes: [ROUTE],
      connectors: connectors(),
      config: { ...CONFIG, botName: 'helper_bot', promptTokens: 6_000 },
    };
    deps = { ...base, ...input.overrides?.(base) };
    engine = makeEngine(deps);
  };

  const house: House = {
    get world() {
      return world;
    },
    get deps() {
      return deps;
    },
    get engine() {
      return engine;
    },
    get crash() {
      return crash;
    },
    folder,
    deliveries,
    tell: (words) => {
      said += 1;
      return engine.accept(arrivalOf(words, `m${said}`, world.clock.nowMs()));
    },
    quiet: () => quiet(house, input.isTimeStill === true),
    restart: async () => {
      crash = armed();
      world = await world.restart({ crash });
      build();
      await engine.start();
    },
    close: async () => {
      if (!crash.hasCrashed) await drained(engine, world);
      await world.close();
      rmSync(folder, { recursive: true, force: true });
    },
  };
  build();
  await input.prepare(deps, join(folder, 'workspaces'));
  await house.engine.start();
  return house;
}

function arrivalOf(words: Words, id: string, nowMs: number): Arrival {
  return {
    event: {
      source: 'chat:test',
      externalId: words.externalId ?? id,
      kind: words.kind ?? 'message',
      channel: { id: words.channel, kind: 'channel', title: words.channel },
      sender: { id: words.by, displayName: words.name ?? words.by, isBot: false },
      text: words.text,
      isAddressed: true,
      isRelayed: words.isRelayed ?? false,
      sentAt: nowMs,
    },
    door: words.authenticated === undefined ? 'chat' : 'http',
    conversationKey: words.channel,
    ...(words.authenticated === undefined ? {} : { authenticated: words.authenticated }),
  };
}

const OPEN_RUNS = { in: ['queued', 'running', 'aborting'] } as const;
const MAX_ROUNDS = 20_000;
const PATIENCE = 40;

async function quiet(house: House, isTimeStill: boolean): Promise<void> {
  for (let round = 1; round <= MAX_ROUNDS; round += 1) {
    for (let turn = 0; turn < 3; turn += 1) await new Promise((resolve) => setImmediate(resolve));
    if (house.crash.hasCrashed) return;
    const { read } = house.deps.store;
    const nowMs = house.world.clock.nowMs();
    const due = await read.count('effect', { state: 'approved', notBefore: { lte: nowMs } });
    const busy = due + (await read.count('effect', { state: 'performing' }));
    if (busy === 0 && (await read.count('run', { state: OPEN_RUNS })) === 0) return;
    if (house.deps.panic.isOn()) return;
    if (!isTimeStill && round % PATIENCE === 0) await house.world.clock.advance(1_000);
  }
  throw new Error(`the house does not come to rest: ${await unrest(house)}`);
}

async function unrest(house: House): Promise<string> {
  const { read } = house.deps.store;
  const runs = await read.find('run', { state: OPEN_RUNS });
  const effects = await read.find('effect', { state: { in: ['approved', 'performing'] } });
  const lines = house.deps.log as RecordingLogger; // safe: the world made it
  return [
    ...runs.map((run) => `${run.id} is ${run.state}`),
    ...effects.map(
      (effect) =>
        `${effect.id} (${effect.kind}) is ${effect.state} try ${effect.attempts} due ${effect.notBefore - house.world.clock.nowMs()} ${effect.error?.code}`,
    ),
    ...lines.lines.slice(-3).map((line) => JSON.stringify(line)),
  ].join('; ');
}

async function drained(engine: Engine, world: World): Promise<void> {
  let isOver = false;
  const over = engine.drain(1).finally(() => {
    isOver = true;
  });
  for (let round = 0; round < 20 && !isOver; round += 1) await world.clock.advance(1_000);
  await over;
}

/** Puts a file of staff on the disk, as an editor on the host would. */
export function putFile(folder: string, workspace: string, path: string, text: string): void {
  const file = join(folder, workspace, path);
  mkdirSync(dirname(file), { recursive: true });
  writeFileSync(file, text);
}

/** Rows that every house has: people with their platform ids, contexts beside `ops` and `news`, another workspace. */
export async function furnish(
  deps: EngineDeps,
  more: readonly Partial<Context>[],
  workspaces: readonly { readonly id: string; readonly title: string }[] = [],
): Promise<void> {
  const nowMs = deps.clock.nowMs();
  await deps.store.commit(TEST_AUDIT, async (tx) => {
    for (const [externalId, user] of Object.entries(PEOPLE)) {
      await tx.insert('identity_link', {
        id: deps.ids.make('identity'),
        connector: 'chat',
        externalId,
        user,
        displayName: externalId,
        createdAt: nowMs,
      });
    }
    for (const { id, title } of workspaces) {
      await tx.insert('workspace', {
        id: id as WorkspaceId, // safe: a slug of the test
        title,
        kind: 'community',
        owner: BOSS,
        outsideEdits: 'staff',
        settings: {},
        createdAt: nowMs,
      });
    }
    for (const row of more) {
      const id = row.id ?? ('spare' as ContextId); // safe: a slug
      await tx.insert('context', { ...contextRow(id, `${id}-channel`, nowMs), ...row });
    }
  });
}
