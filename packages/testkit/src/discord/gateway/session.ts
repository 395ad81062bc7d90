import type { WebSocket } from 'ws';
import type { Fields } from '../world/wire.ts';

/** What a client may come back to: it outlives its line. */
export interface Session {
  readonly id: string;
  readonly intents: number;
  sequence: number;
  /** What RESUME replays, oldest first. */
  readonly sent: { readonly s: number; readonly text: string }[];
  socket: WebSocket | undefined;
}

/** As many events can be made up for; the real platform keeps them for minutes. */
const KEPT_EVENTS = 5_000;

export function newSession(id: string, intents: number, socket: WebSocket): Session {
  return { id, intents, sequence: 0, sent: [], socket };
}

/** Gives an event its number and keeps it, whether or not anybody is connected. @returns its bytes */
export function addEvent(session: Session, t: string, d: Fields): string {
  session.sequence += 1;
  const text = JSON.stringify({ op: 0, s: session.sequence, t, d });
  session.sent.push({ s: session.sequence, text });
  // Halved at once, so that a long run does not move the list with every event.
  if (session.sent.length > 2 * KEPT_EVENTS) session.sent.splice(0, KEPT_EVENTS);
  return text;
}
