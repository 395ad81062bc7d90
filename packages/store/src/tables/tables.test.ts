import { join } from 'node:path';
import { expect, test } from 'vitest';
import { atEnd, temporaryFolder } from '../../bench/fixtures.ts';
import { openConnection } from '../database/index.ts';
import { MIGRATIONS, migrate } from '../migration/index.ts';
import { RESTORE_FIRST } from './damage.ts';
import { TABLES } from './declarations.ts';
import { decodeRow } from './row.ts';

function migrated() {
  const connection = openConnection(join(temporaryFolder(), 'x.sqlite'), {
    busyTimeoutMs: 0,
    durability: 'none',
  });
  migrate(connection, MIGRATIONS, 1);
  atEnd(() => connection.close());
  return connection;
}

test.each([...TABLES.values()].map((table) => [table.name, table] as const))(
  'the columns of %s are those of the newest schema',
  (name, table) => {
    const columns = migrated().all(`select name, type from pragma_table_info('${name}') order by name`);
    const declared = table.columns
      .map((column) => ({
        name: column.name,
        type: column.kind === 'integer' || column.kind === 'boolean' ? 'INTEGER' : 'TEXT',
      }))
      .sort((a, b) => (a.name < b.name ? -1 : 1));
    expect(columns).toEqual(declared);
  },
);

test.each([
  ['ingest_event', ['source', 'external_id']],
  ['context', ['id']],
  ['context', ['connector', 'account', 'channel']],
  ['context_message', ['id']],
  ['identity_link', ['connector', 'external_id']],
  ['identity_user', ['name']],
  ['identity_token', ['secret_hash']],
  ['label_file', ['workspace', 'path', 'hash']],
  ['label_entry', ['workspace', 'path', 'hash']],
  ['notify_notice', ['key']],
  ['journal_step', ['work', 'name']],
  ['journal_work', ['id']],
])('%s is unique by %j', (table, columns) => {
  const connection = migrated();
  const unique = connection
    .all(`select name from pragma_index_list('${table}') where "unique" = 1`)
    .map(({ name }) =>
      connection
        .all(`select name from pragma_index_info('${name}') order by seqno`)
        .map((column) => column.name),
    );
  expect(unique).toContainEqual(columns);
});

test.each([
  ["select * from run where conversation = 'c' and state = 'queued'", 'run_state'],
  [
    "select * from context_message where conversation = 'c' order by seq desc, rowid desc limit 30",
    'context_message_conversation',
  ],
  ["select * from effect where state = 'approved' and not_before <= 5 order by not_before", 'effect_state'],
  ["select * from approval where effect = 'e'", 'approval_effect'],
  ["select * from approval where state = 'pending' and expires_at <= 5", 'approval_state'],
  [
    "select sum(tokens) from ledger_entry where at >= 5 and state <> 'released' and workspace = 'w'",
    'ledger_entry_workspace',
  ],
  [
    "select sum(tokens) from ledger_entry where at >= 5 and state <> 'released' and sender = 's'",
    'ledger_entry_sender',
  ],
  ["select * from label_file where workspace = 'w' and path = 'p' and is_current = 1", 'label_file_current'],
  ["select * from label_file where workspace = 'w' and hash = 'h'", 'label_file_hash'],
])('%s uses its index', (sql, index) => {
  const plan = migrated().all(`explain query plan ${sql}`);
  expect(plan.map(({ detail }) => detail).join('\n')).toContain(index);
});

test('a damaged value of a row says to restore first', () => {
  const run = TABLES.get('run');
  if (run === undefined) throw new Error('no table of runs');
  expect(decodeRow(run, { label: '{"integrity":1}' })).toEqual({ label: { integrity: 1 } });
  expect(() => decodeRow(run, { label: '{"integrity":' })).toThrow(RESTORE_FIRST);
});
