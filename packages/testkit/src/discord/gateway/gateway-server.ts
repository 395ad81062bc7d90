import type { IncomingMessage } from 'node:http';
import type { Duplex } from 'node:stream';
import { type WebSocket, WebSocketServer } from 'ws';
import type { Fields } from '../world/wire.ts';
import type { WorldEvent } from '../world/world.ts';
import { type EventFaults, eventFaults } from './event-faults.ts';
import type { Gateway, GatewayLine, GatewayOptions } from './gateway.ts';
import { isForSession, textFor } from './hearing.ts';
import { identifyProblem } from './identify.ts';
import { INTENTS } from './intents.ts';
import { addEvent, newSession, type Session } from './session.ts';

/** The gateway with what the rest of the emulator needs of it. */
export interface GatewayServer extends Gateway {
  emit(event: WorldEvent): void;
  upgrade(request: IncomingMessage, socket: Duplex, head: Buffer): void;
  end(): Promise<void>;
}

interface Line {
  readonly socket: WebSocket;
  readonly note: GatewayLine;
  session: Session | undefined;
}

const OP = {
  dispatch: 0,
  heartbeat: 1,
  identify: 2,
  presence: 3,
  voice: 4,
  resume: 6,
  reconnect: 7,
  members: 8,
  invalid: 9,
  hello: 10,
  ack: 11,
} as const;

/** Closes after which a session cannot be resumed. */
const ENDING_CODES = [1000, 1001, 4004, 4007, 4009, 4010, 4011, 4012, 4013, 4014];

/** A gateway that behaves, until it is told not to. */
export function gatewayServer(options: GatewayOptions): GatewayServer {
  const server = new WebSocketServer({ noServer: true });
  const lines: GatewayLine[] = [];
  const open = new Set<Line>();
  const sessions = new Map<string, Session>();
  const counts = { identifies: 0, resumes: 0, heartbeats: 0 };
  const faults: EventFaults = eventFaults();
  const refusedIdentifies: number[] = [];
  let isAcking = true;
  let isRefusing = false;
  let isSilent = false;
  let made = 0;

  const say = (line: Line, payload: object): void => {
    if (line.socket.readyState === line.socket.OPEN) line.socket.send(JSON.stringify(payload));
  };
  const dispatch = (session: Session, t: string, d: Fields): void => {
    const text = addEvent(session, t, d);
    session.socket?.send(text);
  };
  const shut = (line: Line, code: number, reason = ''): void => {
    line.note.closed ??= { code, by: 'server' };
    if (ENDING_CODES.includes(code)) endSession(line.session);
    line.socket.close(code, reason);
  };
  const endSession = (session: Session | undefined): void => {
    if (session !== undefined) sessions.delete(session.id);
  };

  const identify = (line: Line, d: Fields): void => {
    if (line.session !== undefined) return void shut(line, 4005, 'Already authenticated.');
    line.note.begunBy = 'identify';
    line.note.identify = d;
    const problem = refusedIdentifies.shift() ?? identifyProblem(d, options);
    if (problem !== undefined) return void shut(line, problem);
    counts.identifies += 1;
    gateway.sessionStartLimit.remaining = Math.max(0, gateway.sessionStartLimit.remaining - 1);
    made += 1;
    const session = newSession(`session${made}`, Number(d.intents), line.socket);
    sessions.set(session.id, session);
    line.session = session;
    const guilds = options.guilds();
    dispatch(session, 'READY', {
      v: 10,
      user: { ...options.bot(), verified: true, mfa_enabled: false, email: null },
      guilds: guilds.map(({ id }) => ({ id, unavailable: true })),
      session_id: session.id,
      resume_gateway_url: options.resumeUrl(),
      shard: d.shard ?? [0, 1],
      application: { id: options.applicationId, flags: 0 },
    });
    if ((session.intents & INTENTS.guilds) === 0) return;
    for (const guild of guilds) dispatch(session, 'GUILD_CREATE', guild);
  };

  const resume = (line: Line, d: Fields): void => {
    line.note.begunBy = 'resume';
    if (d.token !== options.token()) return void shut(line, 4004, 'Authentication failed.');
    const session = sessions.get(String(d.session_id));
    const seq = Number(d.seq);
    if (session === undefined) return void say(line, { op: OP.invalid, d: false });
    if (!(seq <= session.sequence)) return void shut(line, 4007, 'Invalid seq.');
    counts.resumes += 1;
    session.socket?.close(4000);
    session.socket = line.socket;
    line.session = session;
    for (const { s, text } of session.sent) if (s > seq) line.socket.send(text);
    dispatch(session, 'RESUMED', {});
  };

  const heartbeat = (line: Line): void => {
    line.note.heartbeats += 1;
    counts.heartbeats += 1;
    if (isAcking) say(line, { op: OP.ack });
  };

  const members = (line: Line, d: Fields): void => {
    if (line.session === undefined) return;
    const guildId = String(d.guild_id);
    const wanted: readonly unknown[] = Array.isArray(d.user_ids) ? d.user_ids : [];
    const all = options.membersOf(guildId);
    const found = wanted.length === 0 ? all : all.filter(({ user }) => wanted.includes((user as Fields).id)); // safe: a user
    dispatch(line.session, 'GUILD_MEMBERS_CHUNK', {
      guild_id: guildId,
      members: found,
      chunk_index: 0,
      chunk_count: 1,
      ...(d.nonce === undefined ? {} : { nonce: d.nonce }),
    });
  };

  const known =
    (act: (line: Line, d: Fields) => void) =>
    (line: Line, d: Fields): void => {
      if (line.session === undefined) shut(line, 4003, 'Not authenticated.');
      else act(line, d);
    };
  const acts: Readonly<Record<number, (line: Line, d: Fields) => void>> = {
    [OP.heartbeat]: heartbeat,
    [OP.identify]: identify,
    [OP.resume]: resume,
    [OP.members]: known(members),
    [OP.presence]: known(() => {}),
    [OP.voice]: known(() => {}),
  };
  const receive = (line: Line, text: string): void => {
    const payload = parsed(text);
    const act = acts[Number(payload?.op)];
    if (payload === undefined) shut(line, 4002, 'Error while decoding payload.');
    else if (act === undefined) shut(line, 4001, 'Unknown opcode.');
    else act(line, (payload.d ?? {}) as Fields); // safe: read member by member
  };

  const begin = (socket: WebSocket, path: string): void => {
    const line: Line = { socket, note: { path, heartbeats: 0 }, session: undefined };
    lines.push(line.note);
    open.add(line);
    socket.on('message', (data) => {
      receive(line, String(data));
      options.changed();
    });
    socket.on('error', () => socket.terminate());
    socket.on('close', (code) => {
      open.delete(line);
      line.note.closed ??= { code, by: 'client' };
      if (line.session?.socket === socket) line.session.socket = undefined;
      if (line.note.closed.by === 'client' && ENDING_CODES.includes(code)) endSession(line.session);
      options.changed();
    });
    if (!isSilent) say(line, { op: OP.hello, d: { heartbeat_interval: options.heartbeatIntervalMs } });
    options.changed();
  };

  const gateway: GatewayServer = {
    lines,
    counts,
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
      for (const line of open) shut(line, code, reason);
    },
    reconnect: () => {
      for (const line of open) say(line, { op: OP.reconnect, d: null });
    },
    invalidate: (isResumable) => {
      for (const line of open) {
        if (!isResumable) {
          endSession(line.session);
          line.session = undefined;
        }
        say(line, { op: OP.invalid, d: isResumable });
      }
    },
    forgetSessions: () => sessions.clear(),
    setAcking: (value) => {
      isAcking = value;
    },
    setRefusing: (value) => {
      isRefusing = value;
    },
    setSilent: (value) => {
      isSilent = value;
    },
    refuseIdentify: (code, times = 1) => void refusedIdentifies.push(...Array<number>(times).fill(code)),
    duplicate: faults.duplicate,
    reorder: faults.reorder,
    send: (t, d) => {
      for (const session of sessions.values()) dispatch(session, t, d);
    },
    emit: (event) => {
      for (const { t, d, intent } of faults.pass(event)) {
        for (const session of sessions.values()) {
          if (isForSession(session.intents, intent))
            dispatch(session, t, textFor(session.intents, { t, d }, options.bot()));
        }
      }
      options.changed();
    },
    upgrade: (request, socket, head) => {
      const { pathname } = new URL(request.url ?? '/', 'http://emulator.invalid');
      if (isRefusing) return void socket.end('HTTP/1.1 503 Service Unavailable\r\nConnection: close\r\n\r\n');
      server.handleUpgrade(request, socket, head, (webSocket) => begin(webSocket, pathname));
    },
    end: async () => {
      for (const { socket } of open) socket.terminate();
      await new Promise((resolve) => server.close(resolve));
    },
  };
  return gateway;
}

function parsed(text: string): Fields | undefined {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === 'object' && value !== null ? (value as Fields) : undefined; // safe: an object
  } catch {
    return undefined;
  }
}
