import { pullConnector } from '@agent-runtime/adapters';
import type { Connector } from '@agent-runtime/domain';
import type { Doors } from '@agent-runtime/engine';

/** Accounts of the two doors without a chat platform. */
export const DOORS: Doors = {
  http: { connector: 'http', account: 'api' },
  cli: { connector: 'cli', account: 'local' },
};

/** The doors as connectors. Nothing is handed over there: an answer is ready once it is committed, and who asked fetches it. */
export function doorConnectors(): readonly Connector[] {
  return Object.values(DOORS).map(({ connector, account }) => pullConnector({ name: connector, account }));
}
