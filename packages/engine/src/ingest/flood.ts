import { AppError, type Clock, principalKey } from '@agent-runtime/domain';
import { GUEST_ASKS } from './limits.ts';
import type { Place } from './place.ts';

/** Commands of the running minute, by sender and place. In memory: a restart forgives, and no right hangs on it. */
export interface CommandCounts {
  /** Counts one command. @throws AppError ingest.command.exhausted when this sender gave too many in this minute */
  take(at: Place): void;
}

const MINUTE_MS = 60_000;

export function makeCommandCounts(clock: Pick<Clock, 'nowMs'>): CommandCounts {
  const given = new Map<string, number>();
  let minute = 0;
  return {
    take: (at) => {
      const now = Math.floor(clock.nowMs() / MINUTE_MS);
      if (now !== minute) given.clear();
      minute = now;
      const key = JSON.stringify([at.context.id, principalKey(at.where.principal)]);
      const count = (given.get(key) ?? 0) + 1;
      given.set(key, count);
      const most = mostCommands(at);
      if (count > most) throw exhausted(most);
    },
  };
}

function mostCommands({ where, rules }: Place): number {
  return where.principal.kind === 'guest' ? GUEST_ASKS : (rules.settings?.messagesPerMinute ?? GUEST_ASKS);
}

function exhausted(most: number): AppError {
  return new AppError({
    code: 'ingest.command.exhausted',
    kind: 'exhausted',
    message: `Here one person may give ${most} commands a minute. Try again in a minute.`,
    retryAfterMs: MINUTE_MS,
  });
}
