import type { WorkItem } from '@agent-runtime/domain';
import type { Connection } from '../database/index.ts';
import { decodeWork, WORK_COLUMNS } from './work-row.ts';

/** Lanes that have queued work, by hopping through the index: the cost is the number of lanes, not of rows. */
const LANES = `
  with recursive waiting(lane) as (
    select min(lane) from journal_work where state = 'queued'
    union all
    select (select min(lane) from journal_work where state = 'queued' and lane > waiting.lane)
    from waiting where waiting.lane is not null
  )
  select lane from waiting where lane is not null`;

const RUNNING = "select lane, count(*) as running from journal_work where state = 'running' group by lane";

/**
 * Runnable work of one lane, oldest first. Two probes of index (key, state, seq) instead of one with \`state in (…)\`: the latter
 * was measured to be quadratic in the length of a key's queue. The lane's index is named, for it has the order: nothing is sorted.
 */
const RUNNABLE = `
  select ${WORK_COLUMNS} from journal_work as work indexed by journal_work_lane
  where state = 'queued' and lane = ? and not_before <= ?
    and not exists (select 1 from journal_work as earlier
                    where earlier.key = work.key and earlier.state = 'queued' and earlier.seq < work.seq)
    and not exists (select 1 from journal_work as other where other.key = work.key and other.state = 'running')
  order by seq limit ?`;

const TAKE =
  "update journal_work set state = 'running', attempts = attempts + 1, epoch = ? where id = ? and state = 'queued'";

/** Every statement of a claim, for whoever looks at how the database carries them out. */
export const CLAIM_STATEMENTS = [LANES, RUNNING, RUNNABLE, TAKE] as const;

export interface ClaimInput {
  readonly nowMs: number;
  readonly max: number;
  readonly laneLimit: (lane: string) => number;
}

/** Takes runnable work in the running transaction, oldest first over all lanes. */
export function claimWork(writer: Connection, epoch: number, input: ClaimInput): readonly WorkItem[] {
  if (input.max <= 0) return [];
  const running = new Map(writer.all(RUNNING).map((row) => [String(row.lane), Number(row.running)]));
  const runnable = writer.all(LANES).flatMap((row) => {
    const lane = String(row.lane);
    const free = Math.min(input.max, input.laneLimit(lane) - (running.get(lane) ?? 0));
    return free <= 0 ? [] : writer.all(RUNNABLE, [lane, input.nowMs, free]).map(decodeWork);
  });
  const chosen = runnable.sort((a, b) => a.seq - b.seq).slice(0, input.max);
  for (const work of chosen) writer.run(TAKE, [epoch, work.id]);
  return chosen.map((work) => ({ ...work, state: 'running', attempts: work.attempts + 1 }));
}
