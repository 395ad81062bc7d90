import type { TableName } from '@agent-runtime/domain';

/**
 * Answers of the database that are still true. Only tables that change when people do, and not with each message: a turn asks them some
 * forty times, and each question costs SQLite's locks. One process writes the file, and all its writes come by `touched`.
 */
export interface ReadCache {
  /** The known answer to a question, or what `read` finds. Rows are shared: nobody changes one. */
  answer<V>(table: TableName, question: string, read: () => V): V;
  /** A body writes to this table: until its transaction is over, nothing of it is kept or given out. */
  touched(table: TableName): void;
  /** The transaction is over, whatever came of it. */
  settled(): void;
  /** Another process writes the file now: nothing is known of it any more, and nothing is kept again. */
  end(): void;
}

const QUIET: ReadonlySet<TableName> = new Set<TableName>([
  'workspace',
  'context',
  'identity_user',
  'identity_link',
  'identity_grant',
  'identity_token',
  'identity_key',
  'identity_certificate',
  'hub',
  'approval_standing',
  'label_file',
  'label_entry',
  'gate_state',
]);

/** Of one table; beyond this all are forgotten, for strangers ask questions too. */
const MAX_ANSWERS = 1_000;

export function makeReadCache(): ReadCache {
  const known = new Map<TableName, Map<string, unknown>>();
  const dirty = new Set<TableName>();
  let hasEnded = false;
  return {
    answer: <V>(table: TableName, question: string, read: () => V): V => {
      if (hasEnded || !QUIET.has(table) || dirty.has(table)) return read();
      const answers = answersOf(known, table);
      if (answers.has(question)) return answers.get(question) as V; // safe: the same question was asked through the same reader
      const value = read();
      if (answers.size >= MAX_ANSWERS) answers.clear();
      answers.set(question, value);
      return value;
    },
    touched: (table) => {
      if (QUIET.has(table)) dirty.add(table);
    },
    settled: () => {
      for (const table of dirty) known.delete(table);
      dirty.clear();
    },
    end: () => {
      hasEnded = true;
      known.clear();
    },
  };
}

function answersOf(known: Map<TableName, Map<string, unknown>>, table: TableName): Map<string, unknown> {
  const there = known.get(table);
  if (there !== undefined) return there;
  const fresh = new Map<string, unknown>();
  known.set(table, fresh);
  return fresh;
}
