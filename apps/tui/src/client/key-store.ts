import {
  chmodSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { AppError } from '@agent-runtime/domain';
import { type ClientKey, exportClientKey, importClientKey } from '@agent-runtime/pki';
import { z } from 'zod';

const INSTANCE = /^[A-Za-z0-9_-]{1,80}$/;

/** What a client has beside its key: what the runtime gave out at enrolment and renewals. All of it is public. */
export interface Credentials {
  readonly certificatePem: string;
  /** The CAs to trust, the current one first. */
  readonly authorityPems: readonly string[];
  /** Where the admin API listens with TLS; undefined when it did not. */
  readonly adminUrl: string | undefined;
}

/** Key and credentials of this person, one folder for each instance. */
export interface KeyStore {
  /** @throws AppError key.private.invalid for a damaged file, or one that wants a passphrase */
  load(instanceId: string): ClientKey | undefined;
  save(instanceId: string, key: ClientKey): void;
  /** @throws AppError tui.credentials.invalid for a damaged file */
  credentials(instanceId: string): Credentials | undefined;
  saveCredentials(instanceId: string, credentials: Credentials): void;
  /** Instances that this person has a key for. */
  instances(): readonly string[];
  pathOf(instanceId: string): string;
}

const fileSchema = z.object({
  certificate: z.string(),
  authorities: z.array(z.string()).min(1),
  admin_url: z.url().optional(),
});

/**
 * @param configDir absolute; `<configDir>/<instance id>/client-key.pem` and `credentials.json`, mode 0600
 * @param passphrase of the key files; undefined: their mode is their protection
 */
export function keyStore(configDir: string, passphrase?: string): KeyStore {
  const pathOf = (instanceId: string): string =>
    join(instanceFolder(configDir, instanceId), 'client-key.pem');
  const credentialsPath = (instanceId: string): string =>
    join(instanceFolder(configDir, instanceId), 'credentials.json');
  return {
    pathOf,
    load: (instanceId) => {
      const path = pathOf(instanceId);
      return existsSync(path) ? importClientKey(readFileSync(path, 'utf8'), passphrase) : undefined;
    },
    save: (instanceId, key) => {
      const path = pathOf(instanceId);
      // The old key is kept aside: it may still be needed to say which one to revoke.
      if (existsSync(path)) renameSync(path, `${path}.old`);
      writePrivate(path, exportClientKey(key, passphrase));
    },
    credentials: (instanceId) => {
      const path = credentialsPath(instanceId);
      return existsSync(path) ? readCredentials(path) : undefined;
    },
    saveCredentials: (instanceId, { certificatePem, authorityPems, adminUrl }) => {
      const file = { certificate: certificatePem, authorities: authorityPems, admin_url: adminUrl };
      writePrivate(credentialsPath(instanceId), `${JSON.stringify(file, null, 2)}\n`);
    },
    instances: () =>
      existsSync(configDir)
        ? readdirSync(configDir).filter((name) => INSTANCE.test(name) && existsSync(pathOf(name)))
        : [],
  };
}

/** Where everything about one runtime lies. @throws AppError tui.instance.invalid */
export function instanceFolder(configDir: string, instanceId: string): string {
  // It becomes a folder name, and it comes from the other side.
  if (!INSTANCE.test(instanceId)) throw strangeInstance();
  return join(configDir, instanceId);
}

function readCredentials(path: string): Credentials {
  try {
    const file = fileSchema.parse(JSON.parse(readFileSync(path, 'utf8')));
    return { certificatePem: file.certificate, authorityPems: file.authorities, adminUrl: file.admin_url };
  } catch (cause) {
    throw new AppError({
      code: 'tui.credentials.invalid',
      kind: 'invalid',
      message: `${path} is damaged. Enrol this machine again: agent-runtime enrol --force.`,
      cause,
    });
  }
}

/** Writes a file that only its owner may read, whole or not at all. */
export function writePrivate(path: string, text: string): void {
  mkdirSync(join(path, '..'), { recursive: true, mode: 0o700 });
  writeFileSync(`${path}.new`, text, { mode: 0o600 });
  chmodSync(`${path}.new`, 0o600);
  renameSync(`${path}.new`, path);
}

function strangeInstance(): AppError {
  return new AppError({
    code: 'tui.instance.invalid',
    kind: 'invalid',
    message: 'The runtime that answered has a strange name. Check AGENT_RUNTIME_DATA_DIR.',
  });
}
