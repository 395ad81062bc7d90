import type { Fields, WireUser } from '../world/wire.ts';

/** One line of a client, open or closed. */
export interface GatewayLine {
  /** `/gateway`, or `/resume` when the client used the address that READY gave it. */
  readonly path: string;
  /** What it began with. */
  begunBy?: 'identify' | 'resume';
  identify?: Fields;
  /** Set when it is closed: the code, and who closed it. */
  closed?: { readonly code: number; readonly by: 'client' | 'server' };
  heartbeats: number;
}

export interface GatewayOptions {
  readonly token: () => string;
  readonly bot: () => WireUser;
  readonly applicationId: string;
  /** Privileged intents that the developer portal grants, as bits. */
  readonly grantedIntents: number;
  readonly heartbeatIntervalMs: number;
  /** The guilds as they are now: ids for READY, whole ones for GUILD_CREATE. */
  readonly guilds: () => readonly Fields[];
  readonly membersOf: (guildId: string) => readonly Fields[];
  readonly resumeUrl: () => string;
  readonly changed: () => void;
}

/** The gateway as a test steers it. */
export interface Gateway {
  /** Lines in the order in which they were opened. */
  readonly lines: readonly GatewayLine[];
  /** Sessions that are connected now. */
  readonly connected: number;
  /** How often clients identified and resumed. */
  readonly counts: { readonly identifies: number; readonly resumes: number; readonly heartbeats: number };
  /** Of /gateway/bot; `remaining` goes down with each IDENTIFY. */
  sessionStartLimit: { total: number; remaining: number; reset_after: number; max_concurrency: number };
  /** Breaks the lines without a word (1006 for the client); sessions can be resumed. */
  drop(): void;
  /** Closes with a code; sessions end when the code means so (4004, 4007, 4009, 4010 to 4014). */
  close(code: number, reason?: string): void;
  /** Op 7. */
  reconnect(): void;
  /** Op 9. `false`: the session is over, and what happens until the next IDENTIFY is never told. */
  invalidate(isResumable: boolean): void;
  /** Forgets all sessions: the next RESUME is answered with op 9 `false`. Lines stay as they are. */
  forgetSessions(): void;
  /** Heartbeats are not acknowledged any more, or again. */
  setAcking(isAcking: boolean): void;
  /** Nobody gets a line (503), or again. */
  setRefusing(isRefusing: boolean): void;
  /** Lines open but nothing is said, not even HELLO, or again. */
  setSilent(isSilent: boolean): void;
  /** The next IDENTIFYs are answered with this close code. */
  refuseIdentify(code: number, times?: number): void;
  /** Each of the next events is sent twice. */
  duplicate(events: number): void;
  /** The next events are kept back until there are so many, then sent last one first. */
  reorder(events: number): void;
  /** Sends any event as it is, whatever the intents. */
  send(t: string, d: Fields): void;
}
