import { chmodSync, existsSync, mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { AppError } from '@agent-runtime/domain';
import { type ClientKey, exportClientKey, importClientKey } from '@agent-runtime/pki';

const INSTANCE = /^[A-Za-z0-9_-]{1,80}$/;

/** The key of this person for one instance, in a file that only they may read. */
export interface KeyStore {
  /** @throws AppError key.private.invalid for a damaged file */
  load(instanceId: string): ClientKey | undefined;
  save(instanceId: string, key: ClientKey): void;
  pathOf(instanceId: string): string;
}

/** @param configDir absolute; `<configDir>/<instance id>/client-key.pem`, mode 0600 */
export function keyStore(configDir: string): KeyStore {
  const pathOf = (instanceId: string): string => {
    // It becomes a folder name, and it comes from the other side.
    if (!INSTANCE.test(instanceId)) throw strangeInstance();
    return join(configDir, instanceId, 'client-key.pem');
  };
  return {
    pathOf,
    load: (instanceId) => {
      const path = pathOf(instanceId);
      return existsSync(path) ? importClientKey(readFileSync(path, 'utf8')) : undefined;
    },
    save: (instanceId, key) => {
      const path = pathOf(instanceId);
      mkdirSync(join(path, '..'), { recursive: true, mode: 0o700 });
      writeFileSync(`${path}.new`, exportClientKey(key), { mode: 0o600 });
      chmodSync(`${path}.new`, 0o600);
      // The old key is kept aside: it may still be needed to say which one to revoke.
      if (existsSync(path)) renameSync(path, `${path}.old`);
      renameSync(`${path}.new`, path);
    },
  };
}

function strangeInstance(): AppError {
  return new AppError({
    code: 'tui.instance.invalid',
    kind: 'invalid',
    message: 'The runtime that answered has a strange name. Check AGENT_RUNTIME_DATA_DIR.',
  });
}
