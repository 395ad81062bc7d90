import type { Clock, CrashPoints, Ids } from '@agent-runtime/domain';
import type { Config } from '../config.ts';

/** What a command of this process has of the outside; made by main.ts and run-main.ts. */
export interface World {
  readonly config: Config;
  /** The clone: where data.example/ lies. */
  readonly root: string;
  readonly clock: Clock;
  readonly ids: Ids;
  readonly crash: CrashPoints;
  /** Of the clone, e.g. 0.1.0. */
  readonly version: string;
  /** Fresh for each process, 16 to 128 of letters, digits, `-` and `_`. */
  readonly bootId: string;
  /** Standard output: what people and scripts asked for. */
  readonly out: (text: string) => void;
  /** Standard error: the log. */
  readonly err: (text: string) => void;
  /** Where a socket lies when the data folder's path is too long for one. */
  readonly runtimeDir: string;
  readonly logFormat: 'json' | 'pretty';
  /** A person reads standard error, not a log. */
  readonly isTerminal: boolean;
  /** Answers on standard output are JSON. */
  readonly isJson: boolean;
  /** Asks a yes-or-no question. @returns undefined when nobody is at the terminal */
  readonly confirm: (question: string) => Promise<boolean | undefined>;
  /** Resolves with its name at the first signal to stop. */
  readonly stopped: Promise<string>;
  readonly onUncaught: (listener: (thrown: unknown) => void) => void;
  readonly exit: (code: number) => never;
}
