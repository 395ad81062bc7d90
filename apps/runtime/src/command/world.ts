import type { Clock, CrashPoints, Ids } from '@agent-runtime/domain';
import type { Config } from '../config.ts';

/** What a command of this process has of the outside; made in main.ts. */
export interface World {
  readonly config: Config;
  /** The clone: where data.example/ lies. */
  readonly root: string;
  readonly version: string;
  readonly clock: Clock;
  readonly ids: Ids;
  readonly crash: CrashPoints;
  /** Fresh for each process, 16 to 128 of letters, digits, `-` and `_`. */
  readonly bootId: string;
  /** Standard output: what people and scripts asked for. */
  readonly out: (text: string) => void;
  /** Standard error: logs, and what must not end up in a pipe. */
  readonly err: (text: string) => void;
  /** Where a socket lies when the data folder's path is too long for one. */
  readonly runtimeDir: string;
  readonly isTty: boolean;
  /** True when this is the only process that a person looks at, e.g. `npm start`. */
  readonly isJson: boolean;
  /** Asks a yes-or-no question on the terminal. @returns false when there is no terminal */
  readonly confirm: (question: string) => Promise<boolean>;
  /** Resolves at the first signal to stop; the second one ends the process by itself. */
  readonly stopped: Promise<string>;
}
