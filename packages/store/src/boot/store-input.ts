import type { Clock, CrashPoints, Logger, Redactor } from '@agent-runtime/domain';

/** Choices that a deployment may make; times in ms. */
export interface StoreConfig {
  /** Whether message texts themselves are kept in the audit log. */
  readonly auditContent: 'metadata' | 'content';
  /** Records between signed heads, 100 unless said. */
  readonly checkpointEvery?: number;
  /** How long a commit waits for a program that holds the database, 10,000 unless said. */
  readonly busyTimeoutMs?: number;
  /** Longest time one commit's body may take, 30,000 unless said. */
  readonly bodyTimeoutMs?: number;
  /** `none` skips fsync: for tests alone. */
  readonly durability?: 'full' | 'none';
}

export interface StoreInput {
  readonly dataDir: string;
  /** 32 bytes from outside the data folder. */
  readonly masterKey: Uint8Array;
  /** Where the newest signed audit head is kept outside the data folder; without it an older folder put back whole is not noticed. */
  readonly witnessFile?: string | undefined;
  readonly clock: Clock;
  readonly log: Logger;
  readonly crash: CrashPoints;
  /** Removes secrets from what the audit keeps. */
  readonly redactor: Redactor;
  readonly config: StoreConfig;
}
