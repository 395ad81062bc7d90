import { createHmac, timingSafeEqual } from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';
import { AppError, type Clock, canonicalJson, type SecretVault } from '@agent-runtime/domain';
import { deriveKey } from './derived-key.ts';
import { writePrivateFile } from './private-file.ts';
import { seal, unseal } from './seal.ts';

/** Secrets by name; names are not secret. `set` throws vault.name.invalid, vault.value.invalid (blank), vault.file.unavailable. */
export interface Vault extends SecretVault {
  get(name: string): string | undefined;
}

interface Secret {
  readonly value: string;
  readonly updatedAt: number;
}

/** Where the vault's text is kept. */
export interface VaultFile {
  read(): string | undefined;
  write(text: string): void;
}

interface VaultContent {
  readonly version: 1;
  readonly keyId: string;
  readonly entries: Readonly<Record<string, string>>;
  readonly mac: string;
}

const NAME = /^[A-Za-z][A-Za-z0-9_.-]{0,79}$/;

/**
 * Opens the vault; an absent file is an empty vault. Every entry is opened once, so that a changed file is found now and not
 * when a secret is needed.
 * @throws AppError vault.key.denied (another master key) · vault.file.invalid (changed or damaged)
 */
export function openVault(file: VaultFile, masterKey: Uint8Array, clock: Clock): Vault {
  const keys = vaultKeys(masterKey);
  let secrets = readSecrets(file, keys);
  const replace = (next: ReadonlyMap<string, Secret>): void => {
    writeWhole(file, formatVault(keys, next));
    secrets = next;
  };
  return {
    list: async () =>
      [...secrets]
        .map(([name, { updatedAt }]) => ({ name, source: 'vault' as const, updatedAt }))
        .sort((a, b) => (a.name < b.name ? -1 : 1)),
    get: (name) => secrets.get(name)?.value,
    set: async (name, value) => {
      assertEntry(name, value);
      replace(new Map([...secrets, [name, { value, updatedAt: clock.nowMs() }]]));
    },
    remove: async (name) => {
      if (!secrets.has(name)) return false;
      replace(new Map([...secrets].filter(([other]) => other !== name)));
      return true;
    },
  };
}

/** The vault's file on disk. */
export function vaultFile(path: string): VaultFile {
  return {
    read: () => (existsSync(path) ? readFileSync(path, 'utf8') : undefined),
    write: (text) => writePrivateFile(path, text),
  };
}

interface VaultKeys {
  readonly key: Uint8Array;
  readonly macKey: Uint8Array;
  readonly keyId: string;
}

function vaultKeys(masterKey: Uint8Array): VaultKeys {
  const macKey = deriveKey(masterKey, 'vault-mac');
  return { key: deriveKey(masterKey, 'vault'), macKey, keyId: mac(macKey, 'key id').slice(0, 16) };
}

function formatVault(keys: VaultKeys, secrets: ReadonlyMap<string, Secret>): string {
  const entries = Object.fromEntries(
    [...secrets].map(([name, secret]) => [
      name,
      seal(keys.key, entryName(name), Buffer.from(JSON.stringify(secret), 'utf8')),
    ]),
  );
  const content: VaultContent = {
    version: 1,
    keyId: keys.keyId,
    entries,
    mac: entriesMac(keys.macKey, entries),
  };
  return `${JSON.stringify(content, null, 2)}\n`;
}

function readSecrets(file: VaultFile, keys: VaultKeys): ReadonlyMap<string, Secret> {
  const text = file.read();
  if (text === undefined) return new Map();
  const content = parseContent(text);
  if (content.keyId !== keys.keyId) throw wrongKey();
  // Without this a whole entry could be taken out unseen.
  if (!isEqual(entriesMac(keys.macKey, content.entries), content.mac)) throw changed();
  return new Map(
    Object.entries(content.entries).map(([name, sealed]) => {
      const plain = unseal(keys.key, entryName(name), sealed);
      if (plain === undefined) throw changed();
      return [name, JSON.parse(plain.toString('utf8'))];
    }),
  );
}

function parseContent(text: string): VaultContent {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    throw changed();
  }
  if (isContent(value)) return value;
  throw changed();
}

function isContent(value: unknown): value is VaultContent {
  if (typeof value !== 'object' || value === null) return false;
  if (!('version' in value && 'keyId' in value && 'entries' in value && 'mac' in value)) return false;
  const { version, keyId, entries, mac: tag } = value;
  if (version !== 1 || typeof keyId !== 'string' || typeof tag !== 'string') return false;
  return (
    typeof entries === 'object' &&
    entries !== null &&
    Object.values(entries).every((sealed) => typeof sealed === 'string')
  );
}

function entryName(name: string): string {
  return `agent-runtime vault v1\n${name}`;
}

function entriesMac(macKey: Uint8Array, entries: Readonly<Record<string, string>>): string {
  return mac(macKey, `entries\n${canonicalJson(entries)}`);
}

function mac(key: Uint8Array, text: string): string {
  return createHmac('sha256', key).update(text).digest('hex');
}

function isEqual(a: string, b: string): boolean {
  return a.length === b.length && timingSafeEqual(Buffer.from(a), Buffer.from(b));
}

function assertEntry(name: string, value: string): void {
  if (!NAME.test(name)) {
    throw new AppError({
      code: 'vault.name.invalid',
      kind: 'invalid',
      message:
        'A secret needs a name of 1 to 80 letters, digits, underscores, dots or hyphens that begins with a letter.',
    });
  }
  if (value.trim() === '') {
    throw new AppError({
      code: 'vault.value.invalid',
      kind: 'invalid',
      message: `The value of ${name} is blank.`,
    });
  }
}

function writeWhole(file: VaultFile, text: string): void {
  try {
    file.write(text);
  } catch (cause) {
    throw new AppError({
      code: 'vault.file.unavailable',
      kind: 'unavailable',
      message: 'The vault cannot be written (is the disk full?). Nothing was changed.',
      cause,
    });
  }
}

function wrongKey(): AppError {
  return new AppError({
    code: 'vault.key.denied',
    kind: 'denied',
    message:
      'The vault belongs to another master key. Point AGENT_RUNTIME_MASTER_KEY_FILE at the key of this data folder, or restore it with the recovery key.',
  });
}

function changed(): AppError {
  return new AppError({
    code: 'vault.file.invalid',
    kind: 'invalid',
    message:
      'The vault was changed or damaged. Restore secrets.vault from a backup, or remove it and set the secrets again.',
  });
}
