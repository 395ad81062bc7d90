import type { Logger } from '@agent-runtime/domain';

/** What is wrong with the connection, for people and health checks; one sentence per cause. */
export interface Alarms {
  raise(cause: string, words: string): void;
  clear(cause: string): void;
  words(): string | undefined;
}

/** Logs each alarm once when it begins, and once when it ends. */
export function makeAlarms(log: Logger): Alarms {
  const raised = new Map<string, string>();
  return {
    raise: (cause, words) => {
      if (raised.get(cause) === words) return;
      raised.set(cause, words);
      log.error({ cause }, words);
    },
    clear: (cause) => {
      if (raised.delete(cause)) log.info({ cause }, 'This trouble is over.');
    },
    words: () => (raised.size === 0 ? undefined : [...raised.values()].join(' ')),
  };
}
