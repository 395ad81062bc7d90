import type { AdminRouteName } from '@agent-runtime/domain';
import { afterEach } from 'vitest';
import { type OpenOptions, openTerminal, type Terminal } from './terminal.fixture.tsx';

/** The terminal of the running test, closed after it. */
export interface OneTerminal {
  /** @throws Error before `open` */
  readonly terminal: Terminal;
  /** @param start id of a screen */
  open(start: string, options?: OpenOptions): void;
  /** What was asked of the fake runtime over this route, in order. */
  asked(route: AdminRouteName): readonly unknown[];
}

export function useTerminal(): OneTerminal {
  let opened: Terminal | undefined;
  afterEach(() => opened?.close());
  const current = (): Terminal => {
    if (opened === undefined) throw new Error('this test opened no terminal');
    return opened;
  };
  return {
    get terminal() {
      return current();
    },
    open: (start, options = {}) => {
      opened = openTerminal({ start, ...options });
    },
    asked: (route) =>
      current()
        .client.calls.filter(([name]) => name === route)
        .map(([, input]) => input),
  };
}
