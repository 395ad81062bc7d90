import { type Accept, AppError, type InboundEvent, type Logger } from '@agent-runtime/domain';
import type { Alarms } from './alarms.ts';

/** Hands events in. */
export interface Intake {
  /**
   * In order within a lane (`laneOf`), lanes side by side, so that they share transactions.
   * @returns false when something was refused that may pass: then all of it is to be offered again. What was accepted already is a repeat.
   */
  offer(events: readonly InboundEvent[]): Promise<boolean>;
}

export interface IntakeParts {
  readonly accept: Accept;
  readonly alarms: Alarms;
  readonly log: Logger;
  /** After it nothing more is offered. */
  readonly signal: AbortSignal;
  /** Told once an event is durable, or refused for good. */
  readonly onTaken: (event: InboundEvent, words: string | undefined) => void;
}

const HELD = 'What arrives from Telegram cannot be stored at present; it is offered again.';

/** Kinds of refusals that pass; every other one is an answer. */
const PASSING: ReadonlySet<string> = new Set(['unavailable', 'exhausted', 'bug', 'cancelled', 'uncertain']);

/**
 * Which events come one after the other: those of a chat. The stop of everything stands in no line: neither behind what was said before in
 * its chat nor behind what others call a stop.
 */
export function laneOf(event: InboundEvent): string {
  const { channel, sender } = event;
  const chat = channel.group ?? channel.id;
  return isStop(event) ? `${chat} panic ${sender.id}` : chat;
}

/** Whether somebody says `/panic`; whether he may is for others to know. */
export function isStop({ kind, text }: InboundEvent): boolean {
  return kind === 'message' && /^\s*\/panic(?:\s|$)/i.test(text);
}

export function makeIntake(parts: IntakeParts): Intake {
  const { alarms, signal } = parts;
  const turns = new Map<string, Promise<boolean>>();
  const held = new Set<string>();
  const tell = (lane: string, isDurable: boolean): void => {
    if (isDurable) held.delete(lane);
    else held.add(lane);
    if (held.size > 0) alarms.raise('intake', HELD);
    else alarms.clear('intake');
  };
  const inTurn = async (lane: string, events: readonly InboundEvent[]): Promise<boolean> => {
    const turn = (turns.get(lane) ?? Promise.resolve(true)).then(() => acceptAll(parts, events));
    turns.set(lane, turn);
    const isDurable = await turn;
    if (turns.get(lane) === turn) turns.delete(lane);
    if (!signal.aborted) tell(lane, isDurable);
    return isDurable;
  };
  return {
    offer: async (events) => {
      const lanes = Map.groupBy(events, laneOf);
      const results = await Promise.all([...lanes].map(([lane, own]) => inTurn(lane, own)));
      return results.every((result) => result);
    },
  };
}

/** What comes after a passing refusal waits: words must not overtake each other. */
async function acceptAll(parts: IntakeParts, events: readonly InboundEvent[]): Promise<boolean> {
  for (const event of events) if (parts.signal.aborted || !(await acceptOne(parts, event))) return false;
  return true;
}

async function acceptOne({ accept, log, onTaken }: IntakeParts, event: InboundEvent): Promise<boolean> {
  try {
    onTaken(event, (await accept(event))?.words);
    return true;
  } catch (thrown) {
    const about = { external_id: event.externalId, ...causeOf(thrown) };
    if (!(thrown instanceof AppError) || PASSING.has(thrown.kind)) {
      log.warn(about, 'An event was not taken; it is offered again.');
      return false;
    }
    log.warn(about, 'An event was refused for good.');
    onTaken(event, thrown.message);
    return true;
  }
}

function causeOf(thrown: unknown): { readonly code: string; readonly error?: string } {
  if (thrown instanceof AppError) return { code: thrown.code };
  return { code: 'connectors.accept.bug', error: thrown instanceof Error ? thrown.message : String(thrown) };
}
