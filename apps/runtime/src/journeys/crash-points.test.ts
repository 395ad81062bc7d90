import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type Act, EFFECT_ACTS, WORK_ACTS } from './crash-acts.fixture.ts';
import { HOUSE_ACTS, START_ACTS } from './crash-house-acts.fixture.ts';
import { HUB_ACTS } from './crash-hub-acts.fixture.ts';
import { EXCEPTIONS, pointsInSources } from './crash-inventory.fixture.ts';
import { killSetupAt, newLostHome, recordSetup } from './crash-setup.fixture.ts';
import { Attempt, type CrashWorld, newCrashWorld } from './crash-world.fixture.ts';
import { halfFiles } from './invariants.fixture.ts';

/** `npm run soak` kills before and after every commit, and in set-up and rebuild at every point. */
const IS_SOAK = process.env.SOAK === '1';
/** `CRASH_TIMES=3` kills also at the second and third time that an act comes by. */
const TIMES = Number(process.env.CRASH_TIMES ?? 1);
/** Else every other commit is killed before and the rest after; `CRASH_SEED=1` is the other way round. */
const SEED = Number(process.env.CRASH_SEED ?? 0) % 2;
const POINTS = pointsInSources();
const COMMITS = POINTS.filter((point) => point.startsWith('commit.before:')).map(commitOf);
const ALL: Readonly<Record<string, Act>> = {
  ...WORK_ACTS,
  ...EFFECT_ACTS,
  ...HOUSE_ACTS,
  ...HUB_ACTS,
  ...START_ACTS,
};
/** `CRASH_ACTS=<pattern>` kills only in the acts of such names; the inventory then misses the others. */
const CHOSEN = new RegExp(process.env.CRASH_ACTS ?? '');
const ACTS = Object.fromEntries(Object.entries(ALL).filter(([name]) => CHOSEN.test(name)));
/** `CRASH_POINTS=<pattern>` kills only at such points. */
const WANTED = new RegExp(process.env.CRASH_POINTS ?? '');
/** Loops of the process reach their points within this time, ms. */
const LOOP_MS = 8_000;

function commitOf(point: string): string {
  return point.replace(/^commit\.\w+:/, '');
}

/** Whether this run kills there. An unknown commit is always killed: the inventory says that it is unknown. */
function isDue(point: string): boolean {
  if (!WANTED.test(point)) return false;
  if (process.env.CRASH_POINTS !== undefined) return true;
  const at = COMMITS.indexOf(commitOf(point));
  if (IS_SOAK || at < 0) return true;
  return point.startsWith((at + SEED) % 2 === 1 ? 'commit.before:' : 'commit.after:');
}

interface Kill {
  readonly point: string;
  readonly nth: number;
  readonly act: string;
}

describe('kill -9 at every crash point', { timeout: 3_600_000 }, () => {
  let world: CrashWorld;
  const killed = new Set<string>();
  const problems: string[] = [];
  let kills = 0;
  let n = 0;
  beforeAll(async () => {
    world = await newCrashWorld();
    // Enrols the owner: the first act must not come by points that no repeat of it reaches.
    await world.owner.call('panic.status', {});
  }, 300_000);
  afterAll(() => world.remove());

  /** Runs every act once in peace. @returns who reached which point, the first act first */
  async function plan(): Promise<readonly Kill[]> {
    const planned = new Map<string, Kill>();
    for (const [act, run] of Object.entries(ACTS)) {
      n += 1;
      const from = world.reached().length;
      await run(new Attempt(world, n, false));
      const wrong = await world.check();
      expect(wrong, act).toEqual([]);
      const counts = new Map<string, number>();
      for (const point of world.reached().slice(from)) {
        if (point.startsWith('killed ')) continue;
        const nth = (counts.get(point) ?? 0) + 1;
        counts.set(point, nth);
        const name = `${point}#${nth}`;
        if (nth <= TIMES && isDue(point) && !planned.has(name)) planned.set(name, { point, nth, act });
      }
    }
    return [...planned.values()];
  }

  /** Dies there, starts again, lets the client repeat itself, and looks at everything. */
  async function kill({ point, nth, act }: Kill): Promise<void> {
    n += 1;
    const from = world.reached().length;
    const isDead = (): boolean => world.reached().slice(from).includes(`killed ${point}`);
    const say = (what: unknown): void => {
      problems.push(`CRASH_ACTS='^${act}$' CRASH_POINTS='^${point}$' (time ${nth}): ${String(what)}`);
    };
    world.arm(`${point}#${nth}`);
    const run = ACTS[act];
    if (run === undefined) throw new Error(`no act ${act}`);
    let trouble: unknown;
    await run(new Attempt(world, n, false)).catch((thrown: unknown) => {
      trouble = thrown;
    });
    for (const end = performance.now() + LOOP_MS; !isDead() && world.isUp() && performance.now() < end; )
      await new Promise((resolve) => setTimeout(resolve, 20));
    if (isDead()) {
      killed.add(point);
      kills += 1;
    } else if (trouble !== undefined) say(trouble);
    world.arm('');
    if (world.isUp()) await world.runtime.kill();
    for (const wrong of halfFiles(world.home.dataDir)) say(wrong);
    await world.restart();
    try {
      await calm(world);
      await run(new Attempt(world, n, true));
      for (const wrong of await world.check()) say(wrong);
    } catch (thrown) {
      say(thrown);
    }
  }

  /** Set-up and rebuild come by many points of the work; only soak kills at those again. */
  const isLeft = (point: string): boolean => IS_SOAK || (isDue(point) && !killed.has(point));

  test('after each one the invariants hold and the client comes to its end', async () => {
    for (const one of await plan()) await kill(one);
    expect(problems).toEqual([]);
  });

  test('a set-up that dies at any of its points is completed by the next one', async () => {
    const wrong: string[] = [];
    for (const point of (await recordSetup()).filter(isLeft)) {
      wrong.push(...(await killSetupAt(point)).map((what) => `${point}: ${what}`));
      killed.add(point);
      kills += 1;
    }
    expect(wrong).toEqual([]);
  });

  test('a rebuild that dies at any of its points is never served, and the next one makes it whole', async () => {
    const wrong: string[] = [];
    const lost = await newLostHome();
    for (const point of (await lost.record()).filter(isLeft)) {
      wrong.push(...(await lost.killAt(point)).map((what) => `${point}: ${what}`));
      killed.add(point);
      kills += 1;
    }
    await lost.remove();
    expect(wrong).toEqual([]);
  });

  test('every point of the sources is killed, or excepted for a reason that still holds', () => {
    const isExcepted = (point: string): boolean => Object.hasOwn(EXCEPTIONS, commitOf(point));
    const uncovered = POINTS.filter((point) => isDue(point) && !killed.has(point) && !isExcepted(point));
    const unknown = [...killed].filter((point) => !POINTS.includes(point));
    const reached = new Set([...killed].map(commitOf));
    const idle = Object.keys(EXCEPTIONS).filter((name) => reached.has(name) || !COMMITS.includes(name));
    console.info(
      `crash points: ${POINTS.length} in the sources, ${POINTS.filter((point) => killed.has(point)).length} killed (${kills} kills, ${IS_SOAK ? 'all' : `CRASH_SEED=${SEED}`}), ${POINTS.filter(isExcepted).length} excepted`,
    );
    expect({ uncovered, unknown, idle }).toEqual({ uncovered: [], unknown: [], idle: [] });
  });
});

/** What people do first after a start that they did not ask for. */
async function calm(world: CrashWorld): Promise<void> {
  if ((await world.owner.call('panic.status', {})).on) await world.owner.call('panic.off', {});
  if ((await world.owner.call('gate.status', {})).closed) await world.owner.call('gate.open', {});
}
