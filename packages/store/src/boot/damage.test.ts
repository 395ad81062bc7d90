import { existsSync, mkdtempSync, rmSync, statSync, truncateSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { AppError } from '@agent-runtime/domain';
import { seededRandom } from '@agent-runtime/testkit';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import {
  areBytesOwn,
  copyFolder,
  fillHouse,
  flip,
  isBeginning,
  isWhole,
  type Layout,
  layoutOf,
  type Rows,
  rowsOf,
} from '../../bench/damage-fixtures.ts';
import { openFixture } from '../../bench/fixtures.ts';
import { dataPaths } from '../paths/index.ts';
import { RESTORE_FIRST } from '../tables/index.ts';

const IS_SOAK = process.env.SOAK === '1';
/** DAMAGE_SEED=n plays a failing run again. */
const SEED = Number(process.env.DAMAGE_SEED ?? 20_261_130);
const MANY = IS_SOAK ? 300 : 30;
/** One root page of so many. */
const EVERY_ROOT = IS_SOAK ? 1 : 3;
const AUTHORITY = ['effect', 'approval', 'audit_event'];
/** What a damage may come to besides being harmless. Anything else fails the test. */
const FOUND = [
  'refused: restore first',
  // Of a page of the log that still is a page: the record is named.
  'refused: audit.record.invalid',
  // Of the number of the schema.
  'refused: migration.version.conflict',
  'refused: migration.trial.conflict',
  'gate closed',
  'found by audit verify',
  'found by the digest',
];

/** What came of one damage. `silent` names the tables that changed with nobody noticing. */
interface Outcome {
  readonly kind: string;
  readonly silent: readonly string[];
}

const UNSIGNED_END = 'only what came after the last signed head is lost';

describe(`a damaged database (DAMAGE_SEED=${SEED})`, { timeout: IS_SOAK ? 900_000 : 120_000 }, () => {
  const random = seededRandom(SEED);
  const pick = (count: number): number => Math.floor(random() * count);
  const counts = new Map<string, Map<string, number>>();
  let root: string;
  let layout: Layout;
  let sound: Rows;
  const closed = () => join(root, 'closed');
  const open = () => join(root, 'open');
  beforeAll(async () => {
    root = mkdtempSync(join(tmpdir(), 'damage-'));
    await fillHouse(closed(), { open: open() });
    layout = layoutOf(closed());
    sound = rowsOf(dataPaths(closed()).database);
  }, 60_000);
  afterAll(() => {
    rmSync(root, { recursive: true, force: true });
    for (const [what, outcomes] of counts)
      console.info(`damage, ${what} (seed ${SEED}): ${JSON.stringify(Object.fromEntries(outcomes))}`);
  });

  /** Damages a copy, opens it, looks. */
  async function damaged(
    what: string,
    template: string,
    harm: (paths: ReturnType<typeof dataPaths>) => string,
  ): Promise<Outcome> {
    const dataDir = join(root, 'copy');
    rmSync(dataDir, { recursive: true, force: true });
    copyFolder(template, dataDir);
    const paths = dataPaths(dataDir);
    const where = harm(paths);
    const outcome = await lookAt(dataDir).catch((thrown: unknown) => {
      throw new Error(`${what}, ${where}, DAMAGE_SEED=${SEED}: ${String(thrown)}`, { cause: thrown });
    });
    const label = `${what}, ${where}, DAMAGE_SEED=${SEED}`;
    expect([...FOUND, 'harmless', 'opened, changed', UNSIGNED_END], label).toContain(outcome.kind);
    // The log is signed and chained, an index is compared with its table: there nothing changes unnoticed.
    expect(outcome.silent, label).not.toContain('audit_event');
    expect(outcome.silent, label).not.toContain('an index');
    const known = counts.get(what) ?? new Map<string, number>();
    counts.set(what, known);
    for (const one of [outcome.kind, ...outcome.silent.map((name) => `silent in ${name}`)])
      known.set(one, (known.get(one) ?? 0) + 1);
    return outcome;
  }

  async function lookAt(dataDir: string): Promise<Outcome> {
    try {
      return await openAndLook(dataDir);
    } catch (thrown) {
      if (!(thrown instanceof AppError)) throw thrown;
      const isTold = thrown.code === 'database.file.unavailable' && thrown.message === RESTORE_FIRST;
      return { kind: isTold ? 'refused: restore first' : `refused: ${thrown.code}`, silent: [] };
    }
  }

  async function openAndLook(dataDir: string): Promise<Outcome> {
    const house = await openFixture({ dataDir });
    try {
      if (house.rollback !== undefined) return { kind: 'gate closed', silent: [] };
      const verdict = await house.audit.verify();
      if (!verdict.isIntact) return { kind: 'found by audit verify', silent: [] };
      const rows = rowsOf(house.paths.database);
      const changed = [...sound.keys()].filter((name) => rows.get(name) !== sound.get(name));
      if (rows.get('audit_event') !== sound.get('audit_event') && isBeginning(rows, sound))
        return { kind: UNSIGNED_END, silent: [] };
      const effects = await house.store.read.find('effect', {});
      const silent = changed.filter((name) => name !== 'effect' || areBytesOwn(effects));
      if (!isWhole(house.paths.database)) silent.push('an index');
      if (silent.length > 0) return { kind: 'opened, changed', silent };
      return { kind: changed.length > 0 ? 'found by the digest' : 'harmless', silent };
    } finally {
      await house.close();
    }
  }

  const flipOn = (paths: ReturnType<typeof dataPaths>, page: number, bytes: number): string => {
    const bit = ((page - 1) * layout.pageBytes + pick(bytes)) * 8 + pick(8);
    flip(paths.database, bit);
    return `bit ${bit}`;
  };

  test('a bit of the header', async () => {
    // One of the write version: SQLite itself would take such a file as read-only.
    const bits = IS_SOAK
      ? Array.from({ length: 800 }, (_, at) => at)
      : [149, ...Array.from({ length: MANY }, () => pick(800))];
    for (const bit of bits)
      await damaged('header', closed(), (paths) => {
        flip(paths.database, bit);
        return `bit ${bit}`;
      });
  });

  test('a bit of each root page', async () => {
    for (const page of layout.pages.filter(({ isRoot }) => isRoot).filter((_, at) => at % EVERY_ROOT === 0))
      await damaged('root pages', closed(), (paths) => flipOn(paths, page.number, layout.pageBytes));
  });

  test('a bit anywhere', async () => {
    for (let at = 0; at < MANY; at += 1) {
      const size = statSync(dataPaths(closed()).database).size;
      await damaged('anywhere', closed(), (paths) => flipOn(paths, 1, size));
    }
  });

  test.each(AUTHORITY)('a bit in the rows of %s', async (name) => {
    const pages = layout.pages.filter((page) => page.name === name);
    expect(pages.length).toBeGreaterThan(3);
    for (let at = 0; at < MANY; at += 1) {
      const page = pages[pick(pages.length)]?.number ?? 1;
      await damaged(`rows of ${name}`, closed(), (paths) => flipOn(paths, page, layout.pageBytes));
    }
  });

  test('the end is gone', async () => {
    for (let at = 0; at < MANY; at += 1)
      await damaged('truncated', closed(), ({ database }) => {
        const size = pick(statSync(database).size);
        // Half of them at the end of a page, as a file system cuts.
        const kept = at % 2 === 0 ? size : size - (size % layout.pageBytes);
        truncateSync(database, kept);
        return `${kept} bytes`;
      });
  });

  test('the write-ahead log is cut, or a bit of it flipped', async () => {
    for (let at = 0; at < MANY; at += 1)
      await damaged(at % 2 === 0 ? 'log cut' : 'log flipped', open(), ({ database }) => {
        const path = `${database}-wal`;
        expect(existsSync(path)).toBe(true);
        const place = pick(statSync(path).size);
        if (at % 2 === 0) truncateSync(path, place);
        else flip(path, place * 8 + pick(8));
        return `byte ${place}`;
      });
  });
});
