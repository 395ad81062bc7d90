import type { Clock, ConnectorMemory, Sealer } from '@agent-runtime/domain';
import type { CommitQueue, Connection } from '../database/index.ts';

export interface MemoryDeps {
  readonly writer: Connection;
  readonly reader: Pick<Connection, 'get'>;
  readonly queue: CommitQueue;
  readonly sealer: Sealer;
  readonly clock: Pick<Clock, 'nowMs'>;
}

/** The memory of one connector's account. @param source `<connector>:<account>` */
export function makeConnectorMemory(deps: MemoryDeps, source: string): ConnectorMemory {
  const { writer, reader, queue, sealer, clock } = deps;
  return {
    get: async (key) => {
      const row = reader.get('select value from connectors_memory where source = ? and key = ?', [
        source,
        key,
      ]);
      return row === undefined ? undefined : sealer.open(String(row.value));
    },
    set: async (key, value) => {
      const sealed = sealer.seal(value);
      await queue.submit('connectors.remember', () =>
        writer.run(
          'insert into connectors_memory (source, key, value, at) values (?,?,?,?) on conflict (source, key) do update set value = excluded.value, at = excluded.at',
          [source, key, sealed, clock.nowMs()],
        ),
      );
    },
    remove: async (key) => {
      await queue.submit('connectors.forget', () =>
        writer.run('delete from connectors_memory where source = ? and key = ?', [source, key]),
      );
    },
    prune: async (prefix, beforeMs) => {
      await queue.submit('connectors.prune', () =>
        writer.run('delete from connectors_memory where source = ? and at < ? and substr(key, 1, ?) = ?', [
          source,
          beforeMs,
          prefix.length,
          prefix,
        ]),
      );
    },
  };
}
