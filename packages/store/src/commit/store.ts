import type { AuditDraft, Store } from '@agent-runtime/domain';
import { type AuditWriter, mustSignHead } from '../audit/index.ts';
import { type CommitQueue, type Connection, makeStatements } from '../database/index.ts';
import type { ReadCache } from './read-cache.ts';
import { makeReader } from './reader.ts';
import { openTransaction } from './transaction.ts';

export interface StoreDeps {
  readonly writer: Connection;
  readonly reader: Pick<Connection, 'get' | 'all'>;
  readonly queue: CommitQueue;
  readonly audit: AuditWriter;
  /** The queue says `settled` after each transaction. */
  readonly cache: ReadCache;
  readonly epoch: number;
  /** Signs the head of what is committed; on the disk when it returns. @throws AppError audit.head.unavailable */
  readonly signHead: () => void;
  readonly trouble: () => string | undefined;
}

/**
 * The port `Store`. Body and audit events share a savepoint: if either fails, neither happened. After a record by which something
 * approved may leave, the head is signed before the caller hears that it may go on.
 */
export function makeStore(deps: StoreDeps): Store {
  const statements = makeStatements();
  return {
    read: makeReader(deps.reader, statements, deps.cache),
    epoch: deps.epoch,
    trouble: deps.trouble,
    commit: async (audit, body) => {
      const drafts = asList(audit);
      let isSigned = false;
      const value = await deps.queue.submit(drafts[0].action, async () => {
        const open = openTransaction(deps.writer, statements, deps.cache);
        try {
          const made = await body(open.tx);
          open.assertAlive();
          for (const draft of [...drafts, ...open.drafts]) deps.audit.append(draft);
          isSigned = [...drafts, ...open.drafts].some(mustSignHead);
          return made;
        } finally {
          open.end();
        }
      });
      if (isSigned) deps.signHead();
      return value;
    },
  };
}

type Drafts = readonly [AuditDraft, ...AuditDraft[]];

function asList(audit: AuditDraft | Drafts): Drafts {
  return isList(audit) ? audit : [audit];
}

function isList(audit: AuditDraft | Drafts): audit is Drafts {
  return Array.isArray(audit);
}
