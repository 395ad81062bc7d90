import type { IncomingMessage } from 'node:http';
import type { Duplex } from 'node:stream';
import { type WebSocket, WebSocketServer } from 'ws';
import type { WorldEvent } from '../world/world.ts';
import { eventFaults } from './event-faults.ts';
import type { Gateway, GatewayLine, GatewayOptions } from './gateway.ts';
import { hearable, isForSession } from './hearing.ts';
import { gatewaySessions, type Line, OP } from './sessions.ts';

/** The gateway with what the rest of the emulator needs of it. */
export interface GatewayServer extends Gateway {
  emit(event: WorldEvent): void;
  upgrade(request: IncomingMessage, socket: Duplex, head: Buffer): void;
  end(): Promise<void>;
}

/** A gateway that behaves, until it is told not to. */
export function gatewayServer(options: GatewayOptions): GatewayServer {
  const server = new WebSocketServer({ noServer: true });
  const lines: GatewayLine[] = [];
  const open = new Set<Line>();
  const faults = eventFaults();
  const sessions = gatewaySessions(options, () => {
    gateway.sessionStartLimit.remaining = Math.max(0, gateway.sessionStartLimit.remaining - 1);
  });
  let isRefusing = false;
  let isSilent = false;

  const begin = (socket: WebSocket, { pathname, searchParams }: URL): void => {
    const line: Line = { socket, note: { path: pathname, heartbeats: 0 }, session: undefined };
    lines.push(line.note);
    open.add(line);
    socket.on('message', (data) => {
      sessions.receive(line, String(data));
      options.changed();
    });
    socket.on('error', () => socket.terminate());
    socket.on('close', (code) => {
      open.delete(line);
      sessions.closed(line, code);
      options.changed();
    });
    const problem = addressProblem(searchParams);
    if (problem !== undefined) sessions.shut(line, problem.code, problem.reason);
    else if (!isSilent)
      sessions.say(line, { op: OP.hello, d: { heartbeat_interval: options.heartbeatIntervalMs } });
    options.changed();
  };

  const gateway: GatewayServer = {
    lines,
    counts: sessions.counts,
    get connected() {
      return [...open].filter(({ session }) => session !== undefined).length;
    },
    sessionStartLimit: { total: 1000, remaining: 1000, reset_after: 86_400_000, max_concurrency: 1 },
    drop: () => {
      for (const line of open) {
        line.note.closed = { code: 1006, by: 'server' };
        if (line.session !== undefined) line.session.socket = undefined;
        line.socket.terminate();
      }
    },
    close: (code, reason) => {
      for (const line of open) sessions.shut(line, code, reason);
    },
    reconnect: () => {
      for (const line of open) sessions.say(line, { op: OP.reconnect, d: null });
    },
    invalidate: (isResumable) => {
      for (const line of open) {
        if (!isResumable) {
          sessions.forget(line.session);
          line.session = undefined;
        }
        sessions.say(line, { op: OP.invalid, d: isResumable });
      }
    },
    forgetSessions: () => {
      for (const session of sessions.all.values()) sessions.forget(session);
    },
    setAcking: (value) => {
      sessions.isAcking = value;
    },
    setRefusing: (value) => {
      isRefusing = value;
    },
    setSilent: (value) => {
      isSilent = value;
    },
    refuseIdentify: (code, times = 1) => void sessions.refusals.push(...Array<number>(times).fill(code)),
    duplicate: faults.duplicate,
    reorder: faults.reorder,
    send: (t, d) => {
      for (const session of sessions.all.values()) sessions.dispatch(session, t, d);
    },
    emit: (event) => {
      for (const { t, d, intent } of faults.pass(event)) {
        for (const session of sessions.all.values()) {
          const isMeant = isForSession(session.intents, intent);
          if (isMeant) sessions.dispatch(session, t, hearable(session.intents, { t, d }, options.bot()));
        }
      }
      options.changed();
    },
    upgrade: (request, socket, head) => {
      const url = new URL(request.url ?? '/', 'http://emulator.invalid');
      if (isRefusing) socket.end('HTTP/1.1 503 Service Unavailable\r\nConnection: close\r\n\r\n');
      else server.handleUpgrade(request, socket, head, (webSocket) => begin(webSocket, url));
    },
    end: async () => {
      for (const { socket } of open) socket.terminate();
      await new Promise((resolve) => server.close(resolve));
    },
  };
  return gateway;
}

/** discord.js asks for compression only where zlib-sync is installed; here it is not. */
function addressProblem(
  query: URLSearchParams,
): { readonly code: number; readonly reason: string } | undefined {
  if (query.get('v') !== '10') return { code: 4012, reason: 'Invalid API version.' };
  if (query.get('encoding') === 'json' && query.get('compress') === null) return undefined;
  return { code: 4002, reason: 'The emulator speaks JSON without compression.' };
}
