import type { JsonObject, WorkItem, WorkState } from '@agent-runtime/domain';
import { type SqlRow, storedJson } from '../tables/index.ts';

export const WORK_COLUMNS = 'seq, id, workflow, key, lane, input, not_before, state, attempts, error';

export function decodeWork(row: SqlRow): WorkItem {
  return {
    seq: Number(row.seq),
    id: String(row.id),
    workflow: String(row.workflow),
    key: String(row.key),
    lane: String(row.lane),
    input: storedJson(row.input, 'input') as JsonObject, // safe: work is only ever queued with an object
    notBefore: Number(row.not_before),
    state: String(row.state) as WorkState, // safe: the table's check constraint allows nothing else
    attempts: Number(row.attempts),
    ...(typeof row.error === 'string' ? { error: row.error } : {}),
  };
}
