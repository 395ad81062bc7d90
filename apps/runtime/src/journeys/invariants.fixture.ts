import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';

/** One message as the outside has it. */
export interface Received {
  readonly effect_id: string;
  readonly part: number;
  readonly payload: unknown;
}

/** What a data folder is compared with. */
export interface Witness {
  readonly dataDir: string;
  /** What reached the outside, repeats included. */
  readonly received: readonly Received[];
  /** External ids of inputs that were acknowledged to their sender. */
  readonly accepted: readonly string[];
}

interface EffectRow {
  readonly id: string;
  readonly class: string;
  readonly decision: string;
  readonly state: string;
  readonly digest: string;
  readonly approval: string | null;
  readonly payloads: string;
  readonly receipts: string;
  readonly error: string | null;
}

/** Reads the database of a running or stopped runtime; asks nothing of the process. */
export interface Books {
  rows<T>(sql: string, ...values: readonly (string | number)[]): readonly T[];
  /** Before the file is replaced; the next look opens it again. */
  close(): void;
}

export function openBooks(dataDir: string): Books {
  let database: DatabaseSync | undefined;
  return {
    rows: <T>(sql: string, ...values: readonly (string | number)[]) => {
      database ??= new DatabaseSync(join(dataDir, 'agent-runtime', 'meta.sqlite'), { readOnly: true });
      return database.prepare(sql).all(...values) as T[]; // safe: the caller names the columns
    },
    close: () => {
      database?.close();
      database = undefined;
    },
  };
}

/** What has not come to rest yet: work and effects that somebody must still carry out. */
export function restless(books: Books): readonly string[] {
  const runs = books.rows<{ id: string }>(
    `select id || ' is ' || state as id from run where state not in ('succeeded', 'failed', 'aborted')`,
  );
  const effects = books.rows<{ id: string }>(
    `select id || ' is ' || state as id from effect where state in ('approved', 'performing')`,
  );
  const work = books.rows<{ id: string }>(
    `select id || ' is ' || state as id from journal_work where state in ('queued', 'running')`,
  );
  return [...runs, ...effects, ...work].map(({ id }) => id);
}

/**
 * Every invariant that holds at each moment, after whatever crash. Ask when `restless` is empty for those that hold at rest.
 * @returns sentences about what does not hold; empty when all is well
 */
export function violations(books: Books, witness: Witness): readonly string[] {
  return [
    ...lostInputs(books, witness),
    ...wrongDeliveries(books, witness),
    ...wrongApprovals(books),
    ...wrongEndings(books),
    ...brokenFiles(witness.dataDir),
  ];
}

function lostInputs(books: Books, { accepted }: Witness): readonly string[] {
  const known = new Map(
    books
      .rows<{ id: string; run: string | null; rows: number }>(
        `select e.external_id as id, e.run as run, count(r.id) as rows from ingest_event e left join run r on r.id = e.run group by e.source, e.external_id`,
      )
      .map((row) => [row.id, row]),
  );
  const lost = accepted.filter((id) => !known.has(id)).map((id) => `the accepted input ${id} is lost`);
  const hollow = [...known.values()]
    .filter(({ run, rows }) => run !== null && rows !== 1)
    .map(({ id }) => `the input ${id} has no run`);
  const repeated = books.rows<{ id: string }>(
    `select 'the input ' || external_id || ' was taken ' || count(*) || ' times' as id from context_message
     where direction = 'in' and external_id is not null group by conversation, external_id having count(*) > 1`,
  );
  return [...lost, ...hollow, ...repeated.map(({ id }) => id)];
}

function wrongDeliveries(books: Books, { received }: Witness): readonly string[] {
  const found: string[] = [];
  const effects = new Map(
    books
      .rows<EffectRow>(
        'select id, class, decision, state, digest, approval, payloads, receipts, error from effect',
      )
      .map((row) => [row.id, row]),
  );
  const decided = new Set(
    books
      .rows<{ subject: string }>(`select distinct subject from audit_event where action = 'effect.perform'`)
      .map(({ subject }) => subject),
  );
  // Words to a direct talk that is bound to nothing have no row: the log holds their decision, and they leave once.
  const told = new Set(
    books
      .rows<{ notice: string }>(
        `select json_extract(data, '$.notice') as notice from audit_event where action in ('identity.pair_ask', 'ingest.refuse')`,
      )
      .map(({ notice }) => notice),
  );
  const times = new Map<string, number>();
  for (const { effect_id: id, part, payload } of received) {
    const effect = effects.get(id);
    if (effect === undefined) {
      if (!told.delete(id)) found.push(`${id} left without a row`);
      continue;
    }
    if (!decided.has(id)) found.push(`${id} left without a decision in the log`);
    const stored: unknown = JSON.parse(effect.payloads);
    if (!Array.isArray(stored) || JSON.stringify(stored[part]) !== JSON.stringify(payload))
      found.push(`part ${part} of ${id} left with other bytes than it has`);
    const key = `${id} part ${part}`;
    times.set(key, (times.get(key) ?? 0) + 1);
    const isListed =
      effect.class === 'E0' &&
      (effect.state === 'uncertain' || (effect.error ?? '').includes('settle.repeat.uncertain'));
    if ((times.get(key) ?? 0) > (isListed ? 2 : 1)) found.push(`${key} (${effect.class}) left again`);
  }
  for (const effect of effects.values()) {
    const parts = received.filter(({ effect_id }) => effect_id === effect.id).map(({ part }) => part);
    if (effect.decision === 'ask' && parts.some((part, at) => part !== at))
      found.push(`parts of ${effect.id} left out of order`);
  }
  return found;
}

/** Executions never outnumber approvals: each has its own, for exactly its bytes, used up. */
function wrongApprovals(books: Books): readonly string[] {
  const without = books.rows<{ id: string }>(
    `select e.id from effect e left join approval a on a.id = e.approval and a.effect = e.id and a.digest = e.digest and a.state = 'consumed'
     where e.decision = 'ask' and (e.state in ('performing', 'done') or e.receipts <> '[]') and a.id is null`,
  );
  const shared = books.rows<{ id: string }>(
    `select approval as id from effect where approval is not null group by approval having count(*) > 1`,
  );
  const [counts] = books.rows<{ executed: number; consumed: number }>(
    `select (select count(*) from effect where decision = 'ask' and state in ('performing', 'done')) as executed,
            (select count(*) from approval where state = 'consumed') as consumed`,
  );
  return [
    ...without.map(({ id }) => `${id} was executed without a consumed approval of its bytes`),
    ...shared.map(({ id }) => `${id} approves several effects`),
    ...(counts !== undefined && counts.executed > counts.consumed
      ? [`${counts.executed} executions with ${counts.consumed} consumed approvals`]
      : []),
  ];
}

function wrongEndings(books: Books): readonly string[] {
  const unsaid = books.rows<{ id: string }>(
    `select id || ' is uncertain and does not say why' as id from effect where state = 'uncertain' and error is null
     union all select id || ' failed and does not say why' from run where state = 'failed' and error is null
     union all select id || ' succeeded without words' from run where state = 'succeeded' and output is null
     union all select id || ' is done with parts missing' from effect where state = 'done' and decision = 'ask'
       and json_array_length(receipts) <> json_array_length(payloads)
     union all select run || ' answered ' || count(*) || ' times' from context_message
       where direction = 'out' and sender = 'assistant' group by run having count(*) > 1
     union all select task || ' has several open runs' from run
       where state in ('queued', 'running', 'aborting') group by task having count(*) > 1`,
  );
  return unsaid.map(({ id }) => id);
}

/** Things that must be gone when nothing is at work: reservations of calls that are over. */
export function leftovers(books: Books): readonly string[] {
  return books
    .rows<{ id: string }>(`select id from ledger_entry where state = 'reserved'`)
    .map(({ id }) => `${id} is still reserved`);
}

const TEMP = /\.tmp$|\.new$|^\.setup-/;

/** Nothing temporary is left, no file is half and no log ends in the middle of a line. */
function brokenFiles(dataDir: string): readonly string[] {
  const inside = readdirSync(join(dataDir, 'agent-runtime'), { recursive: true, encoding: 'utf8' });
  const files = filesIn(join(dataDir, 'workspaces'));
  const left = [...inside.map((name) => `agent-runtime/${name}`), ...files.map(({ shown }) => shown)].filter(
    (name) => TEMP.test(basename(name)),
  );
  const cut = files.filter(
    ({ shown, path }) => /^[^/]+\/logs\/.*\.md$/.test(shown) && !/(^|\n)$/.test(readFileSync(path, 'utf8')),
  );
  return [
    ...left.map((name) => `${name} is left over`),
    ...cut.map(({ shown }) => `${shown} ends in the middle of a line`),
    ...halfFiles(dataDir),
  ];
}

/** Holds even before the next start, which would mend what it finds: a file that is replaced has its old bytes or its new ones. */
export function halfFiles(dataDir: string): readonly string[] {
  const found: string[] = [];
  for (const { shown, path } of filesIn(join(dataDir, 'workspaces'))) {
    if (!/^[^/]+\/(tasks|approvals)\/.*\.md$/.test(shown)) continue;
    const text = readFileSync(path, 'utf8');
    if (!/^---\n[\s\S]*?\n---\n/.test(text)) found.push(`${shown} has no whole front matter`);
    if (!text.endsWith('\n')) found.push(`${shown} ends in the middle of a line`);
  }
  return found;
}

function filesIn(root: string): readonly { readonly shown: string; readonly path: string }[] {
  if (!existsSync(root)) return [];
  return readdirSync(root, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name))
    .map((path) => ({ shown: path.slice(root.length + 1), path }));
}
