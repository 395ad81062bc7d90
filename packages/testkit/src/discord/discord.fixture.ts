import { WebSocket } from 'ws';
import { until } from '../clock.ts';
import type { DiscordServer } from './server.ts';
import type { Fields } from './world/wire.ts';

/** What a bare client gets back. */
export interface Reply {
  readonly status: number;
  readonly headers: Headers;
  readonly body: Fields;
}

/** Calls the API as a bot would, without a library between. */
export async function call(
  server: DiscordServer,
  method: string,
  path: string,
  body?: unknown,
): Promise<Reply> {
  const form = body instanceof FormData;
  const response = await fetch(`${server.apiUrl}/v10${path}`, {
    method,
    headers: {
      authorization: `Bot ${server.token}`,
      ...(body === undefined || form ? {} : { 'content-type': 'application/json' }),
    },
    ...(body === undefined ? {} : { body: form ? body : JSON.stringify(body) }),
  });
  const text = await response.text();
  return { status: response.status, headers: response.headers, body: text === '' ? {} : JSON.parse(text) };
}

/** A guild, its owner, and a channel. */
export function home(server: DiscordServer) {
  const ann = server.user({ username: 'ann', displayName: 'Ann' });
  const guild = server.guild({ name: 'Home', owner: ann });
  const channel = server.channel({ guild, name: 'general' });
  return { ann, guild, channel, messagesPath: `/channels/${channel.id}/messages` };
}

/** A payload of the gateway. */
export interface Payload {
  readonly op: number;
  readonly t?: string;
  readonly s?: number;
  readonly d: Fields;
}

/** A bare client of the gateway. */
export interface GatewayClient {
  readonly payloads: readonly Payload[];
  /** Set when the line is closed. */
  readonly code: number | undefined;
  send(op: number, d: unknown): void;
  sendRaw(text: string): void;
  /** Events of a name, oldest first. */
  events(t: string): readonly Fields[];
  until(isTrue: (client: GatewayClient) => boolean, what: string): Promise<void>;
  close(code?: number): void;
}

/** Opens a line and waits for what comes first: HELLO, or the end of it. */
export async function gatewayClient(
  server: DiscordServer,
  { path = 'gateway', query = 'v=10&encoding=json' } = {},
): Promise<GatewayClient> {
  const { host } = new URL(server.apiUrl);
  const socket = new WebSocket(`ws://${host}/${path}?${query}`);
  const payloads: Payload[] = [];
  let code: number | undefined;
  socket.on('message', (data) => void payloads.push(JSON.parse(String(data))));
  socket.on('error', () => {});
  socket.on('close', (value) => {
    code = value;
  });
  const client: GatewayClient = {
    payloads,
    get code() {
      return code;
    },
    send: (op, d) => socket.send(JSON.stringify({ op, d })),
    sendRaw: (text) => socket.send(text),
    events: (t) => payloads.filter((payload) => payload.t === t).map(({ d }) => d),
    until: (isTrue, what) => until(() => isTrue(client), what),
    close: (value) => socket.close(value),
  };
  await client.until(() => payloads.length > 0 || code !== undefined, 'HELLO');
  return client;
}

/** Guilds, members, messages, reactions, direct messages, content. */
export const ALL_INTENTS = 0b1111_0110_0000_0011;

/** A client that has identified and was told READY. */
export async function identified(server: DiscordServer, intents = ALL_INTENTS): Promise<GatewayClient> {
  const client = await gatewayClient(server);
  client.send(2, { token: server.token, intents, properties: {}, shard: [0, 1] });
  await client.until(() => client.events('READY').length > 0 || client.code !== undefined, 'READY');
  return client;
}
