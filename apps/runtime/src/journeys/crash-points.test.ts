import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type Act, EFFECT_ACTS, WORK_ACTS } from './crash-acts.fixture.ts';
import { HOUSE_ACTS, START_ACTS } from './crash-house-acts.fixture.ts';
import { EXCEPTIONS, pointsInSources } from './crash-inventory.fixture.ts';
import { killSetupAt, newLostHome, recordSetup } from './crash-setup.fixture.ts';
import { Attempt, type CrashWorld, newCrashWorld } from './crash-world.fixture.ts';

/** `npm run soak` also kills at the second and third time that an act comes by. */
const TIMES = process.env.SOAK === '1' ? 3 : 1;
const ALL: Readonly<Record<string, Act>> = { ...WORK_ACTS, ...EFFECT_ACTS, ...HOUSE_ACTS, ...START_ACTS };
/** `CRASH_ACTS=<part of a name>` kills only in those. */
const ACTS = Object.fromEntries(
  Object.entries(ALL).filter(([name]) => name.includes(process.env.CRASH_ACTS ?? '')),
);
/** Loops of the process reach their points within this time, ms. */
const LOOP_MS = 8_000;

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
  }, 60_000);
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
        if (nth <= TIMES && !planned.has(name)) planned.set(name, { point, nth, act });
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
      problems.push(`${point}#${nth} in "${act}": ${String(what)}`);
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
    await world.restart();
    try {
      await calm(world);
      await run(new Attempt(world, n, true));
      for (const wrong of await world.check()) say(wrong);
    } catch (thrown) {
      say(thrown);
    }
  }

  test('after each one the invariants hold and the client comes to its end', async () => {
    for (const one of await plan()) await kill(one);
    expect(problems).toEqual([]);
  });

  test('a set-up that dies at any of its points is completed by the next one', async () => {
    const wrong: string[] = [];
    for (const point of await recordSetup()) {
      wrong.push(...(await killSetupAt(point)).map((what) => `${point}: ${what}`));
      killed.add(point);
      kills += 1;
    }
    expect(wrong).toEqual([]);
  });

  test('a rebuild that dies at any of its points is never served, and the next one makes it whole', async () => {
    const wrong: string[] = [];
    const lost = await newLostHome();
    for (const point of await lost.record()) {
      wrong.push(...(await lost.killAt(point)).map((what) => `${point}: ${what}`));
      killed.add(point);
      kills += 1;
    }
    await lost.remove();
    expect(wrong).toEqual([]);
  });

  test('every point of the sources is killed, or excepted for a reason that still holds', () => {
    const points = pointsInSources();
    const isExcepted = (point: string): boolean =>
      Object.hasOwn(EXCEPTIONS, point.replace(/^commit\.\w+:/, ''));
    const uncovered = points.filter((point) => !killed.has(point) && !isExcepted(point));
    const unknown = [...killed].filter((point) => !points.includes(point));
    const idle = Object.keys(EXCEPTIONS).filter(
      (name) => killed.has(`commit.before:${name}`) || !points.includes(`commit.before:${name}`),
    );
    console.info(
      `crash points: ${points.length} in the sources, ${points.filter((point) => killed.has(point)).length} killed (${kills} kills), ${points.filter(isExcepted).length} excepted`,
    );
    expect({ uncovered, unknown, idle }).toEqual({ uncovered: [], unknown: [], idle: [] });
  });
});

/** What people do first after a start that they did not ask for. */
async function calm(world: CrashWorld): Promise<void> {
  if ((await world.owner.call('panic.status', {})).on) await world.owner.call('panic.off', {});
  if ((await world.owner.call('gate.status', {})).closed) await world.owner.call('gate.open', {});
}
