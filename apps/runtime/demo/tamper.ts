import { DatabaseSync } from 'node:sqlite';

/** Changes one word of one record, as somebody with the file could. */
export function tamper(file: string): void {
  const database = new DatabaseSync(file);
  // The tables refuse changes; whoever holds the file can take that guard away first. The chain is what tells.
  const guards = database.prepare("select name from sqlite_master where type = 'trigger'").all();
  for (const { name } of guards) database.exec(`drop trigger "${String(name)}"`);
  const { changes } = database
    .prepare("update audit_event set actor = 'nobody' where action = 'approval.grant'")
    .run();
  database.close();
  if (changes === 0) throw new Error('there was no approval to change');
}
