import { cpSync, readFileSync, writeFileSync } from 'node:fs';
import { basename } from 'node:path';
import { type ApprovalId, type Effect, type EffectId, effectDigest } from '@agent-runtime/domain';
import Database from 'better-sqlite3';
import { dataPaths } from '../src/paths/index.ts';
import { draft, openFixture, userRow } from './fixtures.ts';
import { approvalRow, effectRow } from './work-fixtures.ts';

const ROUNDS = 24;

/** A folder with effects, approvals and records. @returns once its last commit is acknowledged; `isOpen` leaves it in the write-ahead log */
export async function fillHouse(dataDir: string, copyTo: { readonly open: string }): Promise<void> {
  const house = await openFixture({ dataDir, config: { checkpointEvery: 10 } });
  for (let at = 0; at < ROUNDS; at += 1) {
    await house.store.commit(draft('effect.propose', { subject: `effect ${at}` }), async (tx) => {
      const payloads = [{ text: `Notice ${at}: the fair begins at noon. ${'Bring a friend. '.repeat(8)}` }];
      const id = `efct_${String(at).padStart(8, '0')}` as EffectId; // safe: a test's own id
      const approval = `appr_${String(at).padStart(8, '0')}` as ApprovalId; // safe: a test's own id
      const bytes = effectRow({ id, approval, payloads });
      const effect = { ...bytes, digest: effectDigest(bytes) };
      await tx.insert('effect', effect);
      await tx.insert('approval', approvalRow({ id: approval, effect: id, digest: effect.digest }));
      await tx.insert('identity_user', userRow(`person${at}`));
    });
  }
  copyFolder(dataDir, copyTo.open);
  await house.close();
}

/** Without the lock: opening it a second time in this process, if only to copy it, would drop it. */
export function copyFolder(from: string, to: string): void {
  cpSync(from, to, { recursive: true, filter: (path) => !basename(path).startsWith('lock.') });
}

/** One page of the database and what lies on it. */
export interface Page {
  readonly number: number;
  readonly name: string;
  readonly isRoot: boolean;
}

export interface Layout {
  readonly pageBytes: number;
  readonly pages: readonly Page[];
}

export function layoutOf(dataDir: string): Layout {
  const database = new Database(dataPaths(dataDir).database, { readonly: true });
  try {
    const pageBytes = Number(database.pragma('page_size', { simple: true }));
    const roots = new Set(database.prepare('select rootpage from sqlite_schema').pluck().all());
    const rows = database.prepare('select pageno, name from dbstat').all();
    const pages = (rows as { pageno: number; name: string }[]).map(({ pageno, name }) => ({
      number: pageno,
      name,
      isRoot: pageno === 1 || roots.has(pageno),
    })); // safe: columns of dbstat
    return { pageBytes, pages };
  } finally {
    database.close();
  }
}

/** Turns one bit round. */
export function flip(path: string, bit: number): void {
  const bytes = readFileSync(path);
  const at = Math.floor(bit / 8);
  bytes[at] = (bytes[at] ?? 0) ^ (1 << (bit % 8));
  writeFileSync(path, bytes);
}

/** Each table as one JSON text of its rows. */
export type Rows = ReadonlyMap<string, string>;

/** True where every table holds the first rows of the other one, and nothing else. */
export function isBeginning(some: Rows, all: Rows): boolean {
  return [...some].every(([name, rows]) => (all.get(name) ?? '').startsWith(rows.slice(0, -1)));
}

const BEFORE_SECOND =
  "where seq < coalesce((select min(seq) from audit_event where subject = 'epoch:2'), 1e9)";

/** Tables that a start itself writes to. */
const OWN = new Set(['database_boot', 'database_sequence', 'audit_checkpoint']);

/** Rows of a folder by their table; of the log those before its second start. */
export function rowsOf(path: string): Rows {
  const database = new Database(path, { readonly: true });
  try {
    const tables = database.prepare("select name from sqlite_schema where type = 'table'").pluck().all();
    const rows = tables
      .map(String)
      .filter((name) => !OWN.has(name) && !name.startsWith('sqlite_'))
      .map((name): [string, string] => {
        const where = name === 'audit_event' ? BEFORE_SECOND : '';
        return [
          name,
          JSON.stringify(database.prepare(`select * from ${name} ${where} order by rowid`).all()),
        ];
      });
    const schema = database.prepare('select type, name, sql from sqlite_schema order by name').all();
    return new Map([...rows, ['schema', JSON.stringify(schema)]]);
  } finally {
    database.close();
  }
}

/** True where every index holds what its table holds. */
export function isWhole(path: string): boolean {
  const database = new Database(path, { readonly: true });
  try {
    return database.pragma('integrity_check(1)', { simple: true }) === 'ok';
  } finally {
    database.close();
  }
}

export function areBytesOwn(effects: readonly Effect[]): boolean {
  return effects.every((effect) => effectDigest(effect) === effect.digest);
}
