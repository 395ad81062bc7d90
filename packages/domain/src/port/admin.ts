import type { AuditEvent, ChainProblem, Checkpoint } from '../audit/index.ts';
import type { Digest } from '../base/index.ts';
import type { Context, Workspace } from '../context/index.ts';

/** One secret as lists show it: never its value. */
export interface SecretInfo {
  readonly name: string;
  /** The environment wins; a name that it supplies cannot be changed here. */
  readonly source: 'environment' | 'vault';
  /** Epoch ms; unknown for the environment. */
  readonly updatedAt?: number | undefined;
}

/** Secrets at rest. Audited by the caller before anything is written. */
export interface SecretVault {
  list(): Promise<readonly SecretInfo[]>;
  /** Durable when it resolves. @throws AppError vault.file.unavailable */
  set(name: string, value: string): Promise<void>;
  /** @returns false when there was none */
  remove(name: string): Promise<boolean>;
}

/** Authenticated encryption under the master key, for small values in rows. */
export interface Sealer {
  seal(plain: string): string;
  /** @throws AppError when it was made under another key or changed */
  open(sealed: string): string;
}

/** The Markdown side of configuration, so that a rebuild finds it. Called after the row is committed; repeating it is harmless. */
export interface ConfigFiles {
  saveContext(context: Context): Promise<void>;
  saveWorkspace(workspace: Workspace): Promise<void>;
}

/** Whole-log verification against the signed checkpoints that this appliance holds. */
export interface AuditCheck {
  /** @param also sees every record of the same pass, oldest first */
  verify(also?: (event: AuditEvent) => Promise<void>): Promise<{
    readonly problems: readonly ChainProblem[];
    readonly count: number;
    readonly head: Digest;
  }>;
  /**
   * The head as it is now, signed, for whoever keeps one elsewhere; an older one while the disk takes no new one.
   * @throws AppError audit.head.unavailable while none was signed yet
   */
  signedHead(): Promise<{ readonly checkpoint: Checkpoint; readonly publicKeyPem: string }>;
}
