import { AppError, type AuditDraft, type StoreTx } from '@agent-runtime/domain';
import type { Connection, Statements } from '../database/index.ts';
import { endWork, insertStep, putWork } from '../journal/index.ts';
import type { ReadCache } from './read-cache.ts';
import { makeReader, tableOf } from './reader.ts';

/** The hand of one body: it works until `end`, then never again. */
export interface OpenTransaction {
  readonly tx: StoreTx;
  /** Events that the body added. */
  readonly drafts: readonly AuditDraft[];
  /** @throws AppError database.disk.unavailable when SQLite has taken the transaction back by itself */
  assertAlive(): void;
  end(): void;
}

/** @param writer a connection with an open transaction */
export function openTransaction(
  writer: Connection,
  statements: Statements,
  cache: ReadCache,
): OpenTransaction {
  let isOver = false;
  const drafts: AuditDraft[] = [];
  // A body that forgot to await would otherwise write into somebody else's savepoint.
  const hand = (): Connection => {
    if (isOver) throw usedLate();
    assertAlive(writer);
    return writer;
  };
  const reader = makeReader(readHand(hand), statements, cache);
  const tx: StoreTx = {
    ...reader,
    insert: async (name, row) => {
      const { sql, params } = statements.insert(tableOf(name), row);
      cache.touched(name);
      hand().run(sql, params);
    },
    update: async (name, where, patch) => {
      const { sql, params } = statements.update(tableOf(name), where, patch);
      cache.touched(name);
      return hand().run(sql, params);
    },
    remove: async (name, where) => {
      const { sql, params } = statements.remove(tableOf(name), where);
      cache.touched(name);
      return hand().run(sql, params);
    },
    next: async (sequence) => nextNumber(hand(), sequence),
    enqueueWork: async (work) => putWork(hand(), [work]),
    recordStep: async (work, name, value) => insertStep(hand(), work, name, value),
    finishWork: async (work, state, error) => endWork(hand(), work, state, error),
    audit: (draft) => {
      hand();
      drafts.push(draft);
    },
  };
  return {
    tx,
    drafts,
    assertAlive: () => assertAlive(writer),
    end: () => {
      isOver = true;
    },
  };
}

/** After some I/O errors SQLite rolls back by itself: what a body writes then would be committed at once, alone. */
function assertAlive(writer: Connection): void {
  if (writer.isInTransaction) return;
  throw new AppError({
    code: 'database.disk.unavailable',
    kind: 'unavailable',
    message: 'The disk failed in the middle of a write. Nothing was changed.',
  });
}

function usedLate(): AppError {
  return new AppError({
    code: 'database.transaction.bug',
    kind: 'bug',
    message: 'A transaction was used after its end. Await every call in its body.',
  });
}

function readHand(hand: () => Connection): Pick<Connection, 'get' | 'all'> {
  return {
    get: (sql, params) => hand().get(sql, params),
    all: (sql, params) => hand().all(sql, params),
  };
}

/** The next number of a sequence, from 1, in the running transaction. */
export function nextNumber(writer: Connection, sequence: string): number {
  const row = writer.get(
    'insert into database_sequence (name, value) values (?, 1) on conflict (name) do update set value = value + 1 returning value',
    [sequence],
  );
  return Number(row?.value);
}
