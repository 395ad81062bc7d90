import type { Accept, JsonObject } from '@agent-runtime/domain';
import { settle } from '@agent-runtime/testkit';
import { connectorConformance } from '../conformance.ts';
import { closedPort, stage } from './telegram.fixture.ts';
import type { TelegramConnector } from './telegram.ts';

/** The suite names its events; Telegram numbers messages within their chat. */
function numbered(connector: TelegramConnector): TelegramConnector {
  const start = (accept: Accept): Promise<void> =>
    connector.start((event) => accept({ ...event, externalId: event.externalId.replace(/^-?\d+:/, '') }));
  return { ...connector, start };
}

connectorConformance('telegram', { arrives: true, breaks: true, speaks: true }, async () => {
  const port = await closedPort();
  let isUnplugged = false;
  const fetch: typeof globalThis.fetch = async (input, init) => {
    const isNow = isUnplugged;
    isUnplugged = false;
    return globalThis.fetch(isNow ? `http://127.0.0.1:${port}/` : input, init);
  };
  const { server, connector, clock, group, ann, played, close } = await stage({ fetch, maxParts: 20 });
  return {
    connector: {
      ...numbered(connector),
      deliver: async (...args) => {
        try {
          return await connector.deliver(...args);
        } catch (thrown) {
          // The next try comes no sooner than the shortest wait, as that of the outbox would.
          await clock.advance(1_000);
          throw thrown;
        }
      },
    },
    address: String(group.id),
    limitChars: 4_096,
    textOf: ({ body }) => String((body as JsonObject).text), // safe: what render makes
    arrived: () => played,
    breakNext: (kind, doesArrive) => {
      if (kind === 'unavailable') isUnplugged = true;
      else if (kind === 'exhausted')
        server.faults.add({
          kind: 'refuse',
          status: 429,
          description: 'Too Many Requests',
          parameters: { retry_after: 0 },
        });
      else if (kind === 'rejected')
        server.faults.add({ kind: 'refuse', description: 'Bad Request: chat not found' });
      else server.faults.add({ kind: doesArrive ? 'drop-after' : 'drop-before' });
    },
    speak: (text) => void server.people.say({ chat: group, from: ann, text }),
    pass: async () => {
      // The network takes real time: a clock that ran ahead of it would let everything time out.
      await clock.advance(20);
      await settle();
    },
    close,
  };
});
