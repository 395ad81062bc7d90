import type { AuditDraft, Store } from '@agent-runtime/domain';
import type { AuditWriter } from '../audit/index.ts';
import type { CommitQueue, Connection } from '../database/index.ts';
import { makeReader } from './reader.ts';
import { openTransaction } from './transaction.ts';

export interface StoreDeps {
  readonly writer: Connection;
  readonly reader: Connection;
  readonly queue: CommitQueue;
  readonly audit: AuditWriter;
  readonly epoch: number;
}

/** The port `Store`. Body and audit events share a savepoint: if either fails, neither happened. */
export function makeStore(deps: StoreDeps): Store {
  return {
    read: makeReader(deps.reader),
    epoch: deps.epoch,
    commit: (audit, body) => {
      const drafts = asList(audit);
      return deps.queue.submit(drafts[0].action, async () => {
        const open = openTransaction(deps.writer);
        try {
          const value = await body(open.tx);
          open.assertAlive();
          for (const draft of [...drafts, ...open.drafts]) deps.audit.append(draft);
          return value;
        } finally {
          open.end();
        }
      });
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
