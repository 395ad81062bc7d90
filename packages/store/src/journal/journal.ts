import type { Journal, Work, WorkItem, WorkState } from '@agent-runtime/domain';
import type { CommitQueue, Connection } from '../database/index.ts';
import type { SqlValue } from '../tables/index.ts';
import { claimWork } from './claim.ts';
import { endWork, readSteps } from './step.ts';
import { decodeWork, WORK_COLUMNS } from './work-row.ts';

export interface JournalDeps {
  readonly writer: Connection;
  readonly reader: Pick<Connection, 'get' | 'all'>;
  readonly queue: CommitQueue;
  readonly epoch: number;
}

/** The port `Journal` on SQLite: its writes share transactions with the commits of the store, but need no audit. */
export function makeJournal(deps: JournalDeps): Journal {
  const { writer, reader, queue, epoch } = deps;
  return {
    put: (work) => queue.submit('journal.put', () => putWork(writer, work)),
    claim: (input) => queue.submit('journal.claim', () => claimWork(writer, epoch, input)),
    steps: async (work) => readSteps(reader, work),
    finish: (work, state, error) => queue.submit('journal.finish', () => endWork(writer, work, state, error)),
    release: (work) => queue.submit('journal.release', () => releaseWork(writer, epoch, work)),
    recover: (maxAttempts) => queue.submit('journal.recover', () => recoverWork(writer, epoch, maxAttempts)),
    cancel: (work, reason) => queue.submit('journal.cancel', () => cancelWork(writer, work, reason)),
    get: async (work) => readWork(reader, work),
    list: async (filter) => listWork(reader, filter),
    nextDueMs: async (nowMs) => {
      const row = reader.get(
        "select min(not_before) as due from journal_work where state = 'queued' and not_before > 0 and not_before > ?",
        [nowMs],
      );
      return typeof row?.due === 'number' ? row.due : undefined;
    },
  };
}

/** Queues work in the running transaction; an id that is there already stays as it is. */
export function putWork(writer: Connection, work: readonly Work[]): void {
  for (const item of work) {
    writer.run(
      "insert into journal_work (id, workflow, key, lane, input, not_before, state, attempts) values (?,?,?,?,?,?,'queued',0) on conflict (id) do nothing",
      [item.id, item.workflow, item.key, item.lane, JSON.stringify(item.input), item.notBefore],
    );
  }
}

/** A drain is no fault of the work: the start is not counted. Only the process that claimed it may give it back. */
function releaseWork(writer: Connection, epoch: number, work: string): void {
  writer.run(
    "update journal_work set state = 'queued', attempts = max(0, attempts - 1) where id = ? and state = 'running' and epoch = ?",
    [work, epoch],
  );
}

function recoverWork(writer: Connection, epoch: number, maxAttempts: number): readonly WorkItem[] {
  const left = "state = 'running' and epoch < ?";
  const spent = writer.all(
    `update journal_work set state = 'failed', error = 'its attempts are spent: each start ended with a crash'
     where ${left} and attempts >= ? returning ${WORK_COLUMNS}`,
    [epoch, maxAttempts],
  );
  writer.run(`update journal_work set state = 'queued' where ${left}`, [epoch]);
  return spent.map(decodeWork).sort((a, b) => a.seq - b.seq);
}

/** Running work keeps its row: it ends by itself once its signal is heard, and until then its key stays taken. */
function cancelWork(writer: Connection, work: string, reason: string): WorkState | undefined {
  const state = readWork(writer, work)?.state;
  if (state !== 'queued' && state !== 'running') return undefined;
  if (state === 'queued') endWork(writer, work, 'cancelled', reason);
  return state;
}

function readWork(connection: Pick<Connection, 'get'>, work: string): WorkItem | undefined {
  const row = connection.get(`select ${WORK_COLUMNS} from journal_work where id = ?`, [work]);
  return row === undefined ? undefined : decodeWork(row);
}

function listWork(
  reader: Pick<Connection, 'all'>,
  filter: Parameters<Journal['list']>[0],
): readonly WorkItem[] {
  const conditions: string[] = [];
  const params: SqlValue[] = [];
  if (filter.state !== undefined) {
    conditions.push('state = ?');
    params.push(filter.state);
  }
  if (filter.key !== undefined) {
    conditions.push('key = ?');
    params.push(filter.key);
  }
  const where = conditions.length === 0 ? '' : `where ${conditions.join(' and ')}`;
  const rows = reader.all(`select ${WORK_COLUMNS} from journal_work ${where} order by seq limit ?`, [
    ...params,
    filter.limit,
  ]);
  return rows.map(decodeWork);
}
