import type { Json } from '@agent-runtime/domain';
import type { Connection } from '../database/index.ts';
import { storedJson } from '../tables/index.ts';

/** Final states of work. */
export type WorkEnd = 'done' | 'failed' | 'cancelled';

/** Writes a step in the running transaction; the first value of a (work, name) stays. */
export function insertStep(writer: Connection, work: string, name: string, value: Json): void {
  writer.run(
    'insert into journal_step (work, name, value) values (?,?,?) on conflict (work, name) do nothing',
    [work, name, JSON.stringify(value)],
  );
}

/** Ends work in the running transaction; what is final already stays as it is. */
export function endWork(writer: Connection, work: string, state: WorkEnd, error?: string): void {
  writer.run("update journal_work set state = ?, error = ? where id = ? and state in ('queued', 'running')", [
    state,
    error ?? null,
    work,
  ]);
}

/** Recorded values of a piece of work, in the order of recording. */
export function readSteps(reader: Pick<Connection, 'all'>, work: string): ReadonlyMap<string, Json> {
  const rows = reader.all('select name, value from journal_step where work = ? order by rowid', [work]);
  return new Map(rows.map((row) => [String(row.name), storedJson(row.value, 'value')]));
}
