import type { JsonObject } from '@agent-runtime/domain';
import { DefaultRestOptions } from 'discord.js';
import { type ConnectorTrouble, connectorConformance } from '../conformance.ts';
import { discordStage } from './discord.fixture.ts';

connectorConformance('discord', { arrives: true, breaks: true, speaks: true }, async () => {
  let isCut = false;
  const stage = await discordStage({
    maxParts: 100,
    patienceMs: 60_000,
    makeRequest: async (url, init) => {
      if (!isCut) return DefaultRestOptions.makeRequest(url, init);
      isCut = false;
      throw Object.assign(new Error('connect'), { code: 'ECONNREFUSED' });
    },
  });
  const { server, connector, channel, ada } = stage;
  const ids = new Map<string, string>();
  const breakNext = (trouble: ConnectorTrouble, doesArrive: boolean): void => {
    const posts = { method: 'POST', route: '/channels/{channel_id}/messages' } as const;
    if (trouble === 'unavailable') isCut = true;
    else if (trouble === 'exhausted') server.faults.add({ ...posts, kind: 'too-many', retryAfterS: 0.05 });
    else if (trouble === 'rejected')
      server.faults.add({ ...posts, kind: 'refusal', status: 403, code: 50_013 });
    else server.faults.add({ ...posts, kind: doesArrive ? 'drop-after' : 'drop-before' });
  };
  return {
    connector: {
      ...connector,
      // The suite names its messages; Discord names them itself.
      start: (accept, suggest) =>
        connector.start(
          (event) => accept({ ...event, externalId: ids.get(event.externalId) ?? event.externalId }),
          suggest,
        ),
      deliver: async (payload, to, signal) => {
        // A pause that Discord asked for is settle's to wait for.
        await new Promise((resolve) => setTimeout(resolve, 60));
        return connector.deliver(payload, to, signal);
      },
    },
    address: channel,
    limitChars: 2_000,
    textOf: (payload) => String(bodyOf(payload).content),
    arrived: () =>
      server.calls
        .filter(
          ({ method, route, status }) => method === 'POST' && route.endsWith('/messages') && status === 200,
        )
        .filter(isFirst())
        .map(({ body }) => {
          const { nonce: _, enforce_nonce: __, ...words } = body as JsonObject; // safe: recorded JSON
          return { method: 'message.create', channel, body: words };
        }),
    breakNext,
    speak: (text, externalId) => {
      const said = server.say({ channel, from: ada, content: text });
      ids.set(said.id, externalId);
    },
    pass: () => new Promise((resolve) => setTimeout(resolve, 5)),
    close: () => stage.close(),
  };
});

function bodyOf(payload: JsonObject): JsonObject {
  return payload.body as JsonObject; // safe: rendered by this connector
}

/** Repeats of a nonce are answered with the message that is there already. */
function isFirst() {
  const seen = new Set<unknown>();
  return ({ answer }: { readonly answer?: unknown }): boolean => {
    const { id } = answer as { id: string }; // safe: a message
    return seen.size < seen.add(id).size;
  };
}
