import type { AdminReply } from '@agent-runtime/domain';
import type { AdminClient } from '../client/client.ts';
import type { WitnessStore } from '../client/witness-store.ts';
import type { Places } from '../config.ts';

/** What a child process is asked to do; its input and output are ours. */
export interface Spawn {
  /** Sub-command of apps/runtime and its arguments. */
  readonly args: readonly string[];
}

/** Everything outside that a command touches; made in main.ts, replaced in tests. */
export interface World {
  readonly places: Places;
  /** Names of AGENT_RUNTIME_… settings that are set. */
  readonly settings: readonly string[];
  readonly nodeVersion: string;
  /** Of this clone, e.g. 0.1.0. */
  readonly version: string;
  /** Is the output a terminal? */
  readonly isTty: boolean;
  readonly useColor: boolean;
  /** Characters per line. */
  readonly columns: number;
  out(text: string): void;
  err(text: string): void;
  /** All of standard input as UTF-8; undefined when it is a terminal. */
  readInput(): Promise<string | undefined>;
  nowMs(): number;
  /** Random name, never used twice. */
  newKey(): string;
  /** Resolves after `ms`, or at once when the signal aborts. */
  sleep(ms: number, signal?: AbortSignal): Promise<void>;
  /** Runs a sub-command of the runtime. @returns its exit code */
  runtime(spawn: Spawn): Promise<number>;
  /** The admin API: over the local socket, or TLS to a runtime elsewhere. */
  connect(): Promise<AdminClient>;
  /** What this machine remembers of the logs of runtimes. */
  witnesses(): Promise<WitnessStore>;
  /** Enrols this machine with a runtime elsewhere. */
  enrolByUrl(how: {
    readonly url: string;
    readonly code: string;
    readonly mayReplace: boolean;
  }): Promise<AdminReply<'key.enrol'>>;
}
