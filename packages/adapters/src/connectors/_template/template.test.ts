import type { JsonObject } from '@agent-runtime/domain';
import { manualClock, settle } from '@agent-runtime/testkit';
import { connectorConformance } from '../conformance.ts';
import { templateConnector } from './template.ts';

/** The invented chat, in memory, behind `fetch`. */
function inventedChat() {
  const arrived: JsonObject[] = [];
  const keys = new Map<string, string>();
  const updates: object[] = [];
  let trouble: { kind: string; doesArrive: boolean } | undefined;
  const take = (key: string, body: string): Response => {
    const id = keys.get(key) ?? `m${keys.size + 1}`;
    if (!keys.has(key)) arrived.push(JSON.parse(body));
    keys.set(key, id);
    return Response.json({ id });
  };
  const fetch: typeof globalThis.fetch = async (input, init) => {
    const path = new URL(String(input)).pathname;
    const after = Number(new URL(String(input)).searchParams.get('after') ?? 0);
    if (path === '/updates') return Response.json(updates.slice(after));
    const key = new Headers(init?.headers).get('idempotency-key') ?? '';
    if (path.startsWith('/messages/by-key/')) {
      const id = keys.get(path.slice('/messages/by-key/'.length));
      return id === undefined ? new Response(null, { status: 404 }) : Response.json({ id });
    }
    const now = trouble;
    trouble = undefined;
    if (now?.doesArrive === true) take(key, String(init?.body));
    switch (now?.kind) {
      case 'unavailable':
        return new Response(null, { status: 503 });
      case 'exhausted':
        return new Response(null, { status: 429, headers: { 'retry-after': '2' } });
      case 'rejected':
        return new Response(null, { status: 400 });
      case 'uncertain':
        throw new TypeError('fetch failed');
      default:
        return take(key, String(init?.body));
    }
  };
  return {
    fetch,
    arrived,
    say: (text: string) =>
      void updates.push({ number: updates.length + 1, channel: 'c', sender: '7', name: 'Ada', text, at: 1 }),
    breakNext: (kind: string, doesArrive: boolean) => {
      trouble = { kind, doesArrive };
    },
  };
}

connectorConformance('_template', { arrives: true, breaks: true, speaks: true }, async () => {
  const chat = inventedChat();
  const clock = manualClock();
  return {
    connector: templateConnector({
      baseUrl: 'http://chat.invalid',
      account: 'demo',
      token: () => 'token',
      fetch: chat.fetch,
      clock,
    }),
    address: 'c',
    limitChars: 2_000,
    arrived: () => chat.arrived,
    breakNext: chat.breakNext,
    speak: (text) => chat.say(text),
    pass: async () => {
      await clock.advance(1_000);
      await settle();
    },
  };
});
