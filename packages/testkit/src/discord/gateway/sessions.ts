import type { WebSocket } from 'ws';
import type { Fields } from '../world/wire.ts';
import type { GatewayLine, GatewayOptions } from './gateway.ts';
import { identifyProblem } from './identify.ts';
import { INTENTS } from './intents.ts';
import { addEvent, newSession, type Session } from './session.ts';

/** An open line and the session that speaks over it. */
export interface Line {
  readonly socket: WebSocket;
  readonly note: GatewayLine;
  session: Session | undefined;
}

export const OP = {
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

/** Closes by the gateway after which a session cannot be resumed. */
const ENDING_CODES = [4004, 4007, 4009, 4010, 4011, 4012, 4013, 4014];
/** Closes by the client that mean it will not come back. */
const LEAVING_CODES = [1000, 1001];

/** What clients say to the gateway, and the sessions that come of it. */
export interface Sessions {
  readonly all: ReadonlyMap<string, Session>;
  readonly counts: { identifies: number; resumes: number; heartbeats: number };
  /** Close codes for the next IDENTIFYs. */
  readonly refusals: number[];
  isAcking: boolean;
  receive(line: Line, text: string): void;
  say(line: Line, payload: object): void;
  /** Closes from the gateway's side. */
  shut(line: Line, code: number, reason?: string): void;
  /** A line ended, whoever ended it. */
  closed(line: Line, code: number): void;
  dispatch(session: Session, t: string, d: Fields): void;
  forget(session: Session | undefined): void;
}

/** @param onIdentify called with each IDENTIFY that is accepted */
export function gatewaySessions(options: GatewayOptions, onIdentify: () => void): Sessions {
  const all = new Map<string, Session>();
  let made = 0;

  const identify = (line: Line, d: Fields): void => {
    line.note.begunBy = 'identify';
    line.note.identify = d;
    const problem = sessions.refusals.shift() ?? identifyProblem(d, options);
    if (line.session !== undefined) sessions.shut(line, 4005, 'Already authenticated.');
    else if (problem !== undefined) sessions.shut(line, problem);
    else start(line, d);
  };

  const start = (line: Line, d: Fields): void => {
    sessions.counts.identifies += 1;
    onIdentify();
    made += 1;
    const session = newSession(`session${made}`, Number(d.intents), line.socket);
    all.set(session.id, session);
    line.session = session;
    const guilds = options.guilds();
    sessions.dispatch(session, 'READY', {
      v: 10,
      user: { ...options.bot(), verified: true, mfa_enabled: false, email: null },
      guilds: guilds.map(({ id }) => ({ id, unavailable: true })),
      session_id: session.id,
      resume_gateway_url: options.resumeUrl(),
      shard: d.shard ?? [0, 1],
      application: { id: options.applicationId, flags: 0 },
    });
    if ((session.intents & INTENTS.guilds) === 0) return;
    for (const guild of guilds) sessions.dispatch(session, 'GUILD_CREATE', guild);
  };

  const resume = (line: Line, d: Fields): void => {
    line.note.begunBy = 'resume';
    const session = all.get(String(d.session_id));
    const seq = Number(d.seq);
    if (d.token !== options.token()) return void sessions.shut(line, 4004, 'Authentication failed.');
    if (session === undefined) return void sessions.say(line, { op: OP.invalid, d: false });
    if (!(seq <= session.sequence)) return void sessions.shut(line, 4007, 'Invalid seq.');
    sessions.counts.resumes += 1;
    // A client that lost its line may be back before the old one is known to be dead.
    if (session.socket !== line.socket) session.socket?.close(4000);
    session.socket = line.socket;
    line.session = session;
    for (const { s, text } of session.sent) if (s > seq) line.socket.send(text);
    sessions.dispatch(session, 'RESUMED', {});
  };

  const heartbeat = (line: Line): void => {
    line.note.heartbeats += 1;
    sessions.counts.heartbeats += 1;
    if (sessions.isAcking) sessions.say(line, { op: OP.ack });
  };

  const members = (session: Session, d: Fields): void => {
    const guildId = String(d.guild_id);
    const wanted: readonly unknown[] = Array.isArray(d.user_ids) ? d.user_ids : [];
    const found = options
      .membersOf(guildId)
      .filter(({ user }) => wanted.length === 0 || wanted.includes((user as Fields).id)); // safe: a user
    const nonce = d.nonce === undefined ? {} : { nonce: d.nonce };
    const chunk = { guild_id: guildId, members: found, chunk_index: 0, chunk_count: 1, ...nonce };
    sessions.dispatch(session, 'GUILD_MEMBERS_CHUNK', chunk);
  };

  /** Acts that need a session first. */
  const known =
    (act: (session: Session, d: Fields) => void) =>
    (line: Line, d: Fields): void => {
      if (line.session === undefined) sessions.shut(line, 4003, 'Not authenticated.');
      else act(line.session, d);
    };
  const acts: Readonly<Record<number, (line: Line, d: Fields) => void>> = {
    [OP.heartbeat]: heartbeat,
    [OP.identify]: identify,
    [OP.resume]: resume,
    [OP.members]: known(members),
    [OP.presence]: known(() => {}),
    [OP.voice]: known(() => {}),
  };

  const sessions: Sessions = {
    all,
    counts: { identifies: 0, resumes: 0, heartbeats: 0 },
    refusals: [],
    isAcking: true,
    receive: (line, text) => {
      const payload = parsed(text);
      const act = acts[Number(payload?.op)];
      if (payload === undefined) sessions.shut(line, 4002, 'Error while decoding payload.');
      else if (act === undefined) sessions.shut(line, 4001, 'Unknown opcode.');
      else act(line, (payload.d ?? {}) as Fields); // safe: read member by member
    },
    say: ({ socket }, payload) => {
      if (socket.readyState === socket.OPEN) socket.send(JSON.stringify(payload));
    },
    shut: (line, code, reason = '') => {
      line.note.closed ??= { code, by: 'server' };
      if (ENDING_CODES.includes(code)) sessions.forget(line.session);
      line.socket.close(code, reason);
    },
    closed: (line, code) => {
      line.note.closed ??= { code, by: 'client' };
      if (line.session?.socket === line.socket) line.session.socket = undefined;
      if (line.note.closed.by === 'client' && LEAVING_CODES.includes(code)) sessions.forget(line.session);
    },
    dispatch: (session, t, d) => {
      const text = addEvent(session, t, d);
      session.socket?.send(text);
    },
    forget: (session) => {
      if (session !== undefined) all.delete(session.id);
    },
  };
  return sessions;
}

function parsed(text: string): Fields | undefined {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === 'object' && value !== null ? (value as Fields) : undefined; // safe: an object
  } catch {
    return undefined;
  }
}
