import { type Accept, AppError, type InboundEvent, type Logger } from '@agent-runtime/domain';
import type { Alarms } from './alarms.ts';

/** Hands events in. */
export interface Intake {
  /**
   * In order within a chat, chats side by side, so that they share transactions.
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

/** Kinds of refusals that pass; every other one is an answer. */
const PASSING: ReadonlySet<string> = new Set(['unavailable', 'exhausted', 'bug', 'cancelled', 'uncertain']);

export function makeIntake(parts: IntakeParts): Intake {
  const turns = new Map<string, Promise<boolean>>();
  const inTurn = async (chat: string, events: readonly InboundEvent[]): Promise<boolean> => {
    const turn = (turns.get(chat) ?? Promise.resolve(true)).then(() => acceptAll(parts, events));
    turns.set(chat, turn);
    const isDurable = await turn;
    if (turns.get(chat) === turn) turns.delete(chat);
    return isDurable;
  };
  return {
    offer: async (events) => {
      const chats = Map.groupBy(events, ({ channel }) => channel.group ?? channel.id);
      const results = await Promise.all([...chats].map(([chat, own]) => inTurn(chat, own)));
      const isDurable = results.every((result) => result);
      if (parts.signal.aborted) return isDurable;
      if (isDurable) parts.alarms.clear('intake');
      else
        parts.alarms.raise(
          'intake',
          'What arrives from Telegram cannot be stored at present; it is offered again.',
        );
      return isDurable;
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
