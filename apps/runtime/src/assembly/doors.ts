import { AppError, type Connector, type JsonObject } from '@agent-runtime/domain';
import type { Doors } from '@agent-runtime/engine';

/** Accounts of the two doors without a chat platform. */
export const DOORS: Doors = {
  http: { connector: 'http', account: 'api' },
  cli: { connector: 'cli', account: 'local' },
};

/**
 * The connectors of HTTP and the command line. Nothing is handed over: an answer is there once it is committed, and who asked fetches it.
 */
export function doorConnectors(): readonly Connector[] {
  return Object.values(DOORS).map(({ connector, account }) => pullConnector(connector, account));
}

function pullConnector(name: string, account: string): Connector {
  return {
    name,
    account,
    delivery: 'pull',
    dropsRepeats: true,
    render: (draft, { address }): readonly JsonObject[] => [{ channel: address, text: draft.text }],
    deliver: async () => {
      throw notDelivered(name);
    },
    reconcile: async () => ({ kind: 'unknown' }),
    start: async () => undefined,
    stop: async () => undefined,
  };
}

function notDelivered(name: string): AppError {
  return new AppError({
    code: 'runtime.door.rejected',
    kind: 'rejected',
    message: `Answers of ${name} are fetched, they cannot be sent.`,
  });
}
