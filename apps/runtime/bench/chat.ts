// Message in to reply out over the emulated Telegram, beside a bare grammy bot on the same emulator and the same model, in one run.
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { type LlmServer, until } from '@agent-runtime/testkit';
import { type Env, newHome, ROOT, type Running } from '../src/journeys/journey.fixture.ts';
import {
  discordPlatform,
  type Person,
  type Room,
  type TelegramPlatform,
  telegramPlatform,
} from '../src/journeys/platform.fixture.ts';
import { processFacts, spread } from './measure.ts';

/** What was measured: name, value, unit, bound. */
export type ChatRow = readonly [name: string, value: number, unit: string, bound?: string | undefined];

const CHATS = 50;
const MESSAGES = 500;
const ONE_BY_ONE = 300;
const LIMIT_MS = 120_000;
const CODE = /(?:[0-9A-Z]{4}-){6}[0-9A-Z]{4}/;

/** All rows of the chat plane. */
export async function chatCosts(model: Env, llmServer: LlmServer): Promise<readonly ChatRow[]> {
  return [...(await ofPeer(llmServer)), ...(await ofRuntime(model))];
}

async function ofPeer(llmServer: LlmServer): Promise<readonly ChatRow[]> {
  const platform = await telegramPlatform();
  const person = platform.person('Ada');
  const rooms = roomsOf(platform, person);
  const program = join(ROOT, 'packages/adapters/bench/grammy-bot.ts');
  const bot: ChildProcess = spawn(
    process.execPath,
    [program, platform.server.apiRoot, platform.server.token, llmServer.baseUrl],
    { stdio: ['ignore', 'pipe', 'inherit'] },
  );
  try {
    if (bot.stdout !== null) await once(bot.stdout, 'data');
    return await measured('grammy bot', driver(platform, person), rooms, {});
  } finally {
    bot.kill('SIGKILL');
    await platform.close();
  }
}

async function ofRuntime(model: Env): Promise<readonly ChatRow[]> {
  const platform = await telegramPlatform();
  const discord = await discordPlatform();
  const home = newHome({
    ...model,
    ...platform.env,
    ...discord.env,
    AGENT_RUNTIME_LOG_LEVEL: 'warn',
  });
  try {
    let runtime = await home.start();
    const person = platform.person('Ada');
    const rooms = roomsOf(platform, person);
    const direct = platform.direct(person);
    platform.say(direct, person, 'pair');
    const codeOf = (): string => CODE.exec(platform.shown(direct).at(-1)?.text ?? '')?.[0] ?? '';
    await until(() => codeOf() !== '', 'the code of the pairing', LIMIT_MS);
    await home.cli(
      ['pair', 'approve', codeOf(), '--user', 'ada', '--role', 'member', '--scope', 'ws:community'].concat(
        '--create-user',
      ),
    );
    await home.cli(['workspace', 'set', 'community', '--messages-per-minute', '100000']);
    for (const room of rooms)
      await home.cli(['context', 'bind', platform.source, room.id, '--workspace', 'community']);
    const drive = driver(platform, person);
    for (let n = 0; n < 30; n += 1) await drive.ask(rooms[n % CHATS] ?? direct);
    const rows = await measured('chat', drive, rooms, {
      p50: '12',
      p95: '40',
      rate: '200',
    });
    const { rssMiB } = processFacts(runtime.pid);
    const dead = await afterKills(runtime, home.start, drive, rooms);
    runtime = dead.runtime;
    await runtime.stop();
    return [
      ...rows,
      ['chat: RSS with both connectors', rssMiB, 'MiB', '180'],
      ['chat: kill -9 to the next reply', dead.replyMs, 'ms', '3000'],
      ['chat: calls that the platform refused or that came too early', platform.burnt(), ''],
    ];
  } finally {
    await home.remove();
    await platform.close();
    await discord.close();
  }
}

function roomsOf(platform: TelegramPlatform, person: Person): readonly Room[] {
  return Array.from({ length: CHATS }, (_, n) => platform.group(`Group ${n}`, person));
}

interface Drive {
  /** Says something in a room and waits for its answer. @returns ms */
  ask(room: Room): Promise<number>;
  /** How often the questions of this drive were answered: asked, answered once, answered more often. */
  counts(): { readonly asked: number; readonly once: number; readonly often: number };
}

/** Hears each answer when the emulator gets the call, not when somebody looks. */
function driver(platform: TelegramPlatform, person: Person): Drive {
  const waiting = new Map<string, () => void>();
  const answered = new Map<string, number>();
  platform.server.onCall('sendMessage', ({ params }) => {
    const reply = params.reply_parameters as { readonly message_id?: number } | undefined; // safe: as the specification has it
    const key = `${String(params.chat_id)}:${reply?.message_id}`;
    answered.set(key, (answered.get(key) ?? 0) + 1);
    waiting.get(key)?.();
    waiting.delete(key);
  });
  let asked = 0;
  return {
    ask: async (room) => {
      asked += 1;
      const startedAt = performance.now();
      await new Promise<void>((resolve, reject) => {
        const timer = setTimeout(() => reject(new Error(`no answer in ${room.id}`)), LIMIT_MS);
        const id = platform.say(room, person, `question ${asked}`, { isCall: true });
        waiting.set(`${room.id}:${id}`, () => {
          clearTimeout(timer);
          resolve();
        });
      });
      return performance.now() - startedAt;
    },
    counts: () => {
      const times = [...answered.values()];
      return {
        asked,
        once: times.filter((one) => one === 1).length,
        often: times.filter((one) => one > 1).length,
      };
    },
  };
}

async function measured(
  name: string,
  drive: Drive,
  rooms: readonly Room[],
  bounds: { readonly p50?: string; readonly p95?: string; readonly rate?: string },
): Promise<readonly ChatRow[]> {
  const times: number[] = [];
  for (let n = 0; n < ONE_BY_ONE; n += 1) times.push(await drive.ask(roomAt(rooms, n)));
  const { p50, p95 } = spread(times);
  const perChat = MESSAGES / rooms.length;
  const closedAt = performance.now();
  await Promise.all(
    rooms.map(async (room) => {
      for (let n = 0; n < perChat; n += 1) await drive.ask(room);
    }),
  );
  const closedMs = performance.now() - closedAt;
  const burstAt = performance.now();
  await Promise.all(Array.from({ length: MESSAGES }, (_, n) => drive.ask(roomAt(rooms, n))));
  const burstMs = performance.now() - burstAt;
  const { asked, once: exactlyOnce, often } = drive.counts();
  if (exactlyOnce !== asked || often !== 0)
    throw new Error(`${name}: ${asked} asked, ${exactlyOnce} answered once, ${often} more often`);
  return [
    [`${name}: message in to reply out, p50`, p50, 'ms', bounds.p50],
    [`${name}: p95`, p95, 'ms', bounds.p95],
    [
      `${name}: ${MESSAGES} messages in ${CHATS} chats, closed loop`,
      (MESSAGES * 1_000) / closedMs,
      'per s',
      bounds.rate,
    ],
    [`${name}: the same in one burst`, (MESSAGES * 1_000) / burstMs, 'per s'],
    [`${name}: answered exactly once, of ${asked}`, exactlyOnce, ''],
  ];
}

function roomAt(rooms: readonly Room[], n: number): Room {
  const room = rooms[n % rooms.length];
  if (room === undefined) throw new Error('no room');
  return room;
}

/** Dies in the middle of a turn a few times, then answers. */
async function afterKills(
  first: Running,
  start: (env: Env, args: readonly string[]) => Promise<Running>,
  drive: Drive,
  rooms: readonly Room[],
): Promise<{ readonly runtime: Running; readonly replyMs: number }> {
  let runtime = first;
  const times: number[] = [];
  for (let n = 0; n < 3; n += 1) {
    await runtime.kill();
    const answer = drive.ask(roomAt(rooms, n));
    const killedAt = performance.now();
    runtime = await start({}, ['up', '--json']);
    await answer;
    times.push(performance.now() - killedAt);
  }
  return { runtime, replyMs: spread(times).p50 };
}
