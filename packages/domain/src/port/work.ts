import type { JsonObject } from '../base/index.ts';

/** A piece of work that survives a crash. */
export interface Work {
  /** Chosen by the caller; enqueueing the same id again does nothing. */
  readonly id: string;
  readonly workflow: string;
  /** Works of one key run one at a time, in the order they were enqueued. */
  readonly key: string;
  /** Works of one lane share a limit (a workspace). */
  readonly lane: string;
  readonly input: JsonObject;
  /** Not before this instant, epoch ms; 0: now. */
  readonly notBefore: number;
}
