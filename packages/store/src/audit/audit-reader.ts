import type { AuditEvent, AuditReader } from '@agent-runtime/domain';
import type { Connection } from '../database/index.ts';
import type { SqlValue } from '../tables/index.ts';
import { decodeAudit } from './audit-row.ts';
import { readHead } from './audit-writer.ts';

/** Records per statement of a stream. */
const BATCH = 500;

/** Reads what is committed. */
export function makeAuditReader(reader: Pick<Connection, 'get' | 'all'>): AuditReader {
  return {
    head: async () => readHead(reader),
    tail: async (limit, filter = {}) => {
      const conditions: string[] = [];
      const params: SqlValue[] = [];
      const add = (condition: string, value: SqlValue | undefined): void => {
        if (value === undefined) return;
        conditions.push(condition);
        params.push(value);
      };
      add('subject = ?', filter.subject);
      add('action = ?', filter.action);
      add('seq < ?', filter.beforeSeq);
      const where = conditions.length === 0 ? '' : `where ${conditions.join(' and ')}`;
      const rows = reader.all(`select * from audit_event ${where} order by seq desc limit ?`, [
        ...params,
        limit,
      ]);
      return rows.map(decodeAudit);
    },
    all: () => streamAudit(reader),
  };
}

/** Every record by rising number, a batch at a time, so that memory stays bounded and others get their turn. */
export async function* streamAudit(reader: Pick<Connection, 'get' | 'all'>): AsyncIterable<AuditEvent> {
  let rowid: SqlValue = 0;
  for (;;) {
    const rows = reader.all(
      'select rowid as row, * from audit_event where rowid > ? order by rowid limit ?',
      [rowid, BATCH],
    );
    for (const row of rows) yield decodeAudit(row);
    const last = rows.at(-1)?.row;
    if (last === undefined || last === null) return;
    rowid = last;
  }
}
