import { existsSync, lstatSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { AppError } from '@agent-runtime/domain';
import { createMasterKey, formatMasterKey, parseMasterKey, writePrivateFile } from '@agent-runtime/store';
import type { Config } from '../config.ts';

type KeyConfig = Pick<Config, 'MASTER_KEY' | 'secretsDir'>;

/** The file that holds the master key unless the environment gives it. */
export function masterKeyFile(config: Pick<Config, 'secretsDir'>): string {
  return join(config.secretsDir, 'master.key');
}

/** Where the newest audit head is kept beside the key; undefined when there is no such folder, for example with the key from elsewhere. */
export function witnessFile(config: Pick<Config, 'secretsDir'>): string | undefined {
  return existsSync(config.secretsDir) ? join(config.secretsDir, 'audit-head.json') : undefined;
}

export function hasMasterKey(config: KeyConfig): boolean {
  return config.MASTER_KEY !== undefined || existsSync(masterKeyFile(config));
}

/**
 * The master key: environment first, file second.
 * @throws AppError runtime.key.missing · runtime.key.denied (others can read it) · vault.key.invalid
 */
export function readMasterKey(config: KeyConfig): Uint8Array {
  if (config.MASTER_KEY !== undefined) return parseMasterKey(config.MASTER_KEY);
  const path = masterKeyFile(config);
  if (!existsSync(path)) {
    throw new AppError({
      code: 'runtime.key.missing',
      kind: 'missing',
      message: `There is no master key at ${path}. Run \`agent-runtime setup\` for a new instance, or put the key of this data folder back (AGENT_RUNTIME_MASTER_KEY_FILE also works).`,
    });
  }
  if ((lstatSync(path).mode & 0o077) !== 0 && process.platform !== 'win32') {
    throw new AppError({
      code: 'runtime.key.denied',
      kind: 'denied',
      message: `Others on this machine can read ${path}. Run \`chmod 600 ${path}\`; if they may have read it, every secret in the vault is known to them.`,
    });
  }
  return parseMasterKey(readFileSync(path, 'utf8'));
}

/** Makes a key and its file. @throws AppError runtime.key.conflict when there is one: it is never replaced */
export function makeMasterKey(config: KeyConfig): Uint8Array {
  if (hasMasterKey(config)) {
    throw new AppError({
      code: 'runtime.key.conflict',
      kind: 'conflict',
      message: `There already is a master key at ${masterKeyFile(config)}. It is never replaced.`,
    });
  }
  const key = createMasterKey();
  writePrivateFile(masterKeyFile(config), formatMasterKey(key));
  return key;
}
