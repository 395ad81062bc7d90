import { expect, test } from 'vitest';
import { connectorConformance } from '../conformance.ts';
import { pullConnector } from './http.ts';

connectorConformance('http', { arrives: false, breaks: false, speaks: false }, async () => ({
  connector: pullConnector(),
  address: 'conv-1',
  pass: async () => {},
}));

test('is asked, never told; a reply is one payload of any length', async () => {
  const door = pullConnector({ name: 'cli', account: 'host' });
  expect([door.name, door.account, door.delivery]).toEqual(['cli', 'host', 'pull']);
  const payloads = door.render({ text: 'x'.repeat(50_000) }, { address: 'c', effectId: 'e', nowMs: 0 });
  expect(payloads).toHaveLength(1);
});
