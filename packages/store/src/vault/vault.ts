import { createHmac, timingSafeEqual } from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';
import { AppError, canonicalJson } from '@agent-runtime/domain';
import { deriveKey } from './derived-key.ts';
import { writePrivateFile } from './private-file.ts';
import { seal, unseal } from './seal.ts';

/** Secrets by name. Values are text; names are not secret. */
export interface Vault {
  /** Names, sorted. */
  list(): readonly string[];
  get(name: string): string | undefined;
  /** @throws AppError vault.name.invalid · vault.value.invalid (blank) · vault.file.unavailable (cannot be written; nothing changed) */
  set(name: string, value: string): void;
  /** @returns false when there was none */
  remove(name: string): boolean;
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
export function openVault(file: VaultFile, masterKey: Uint8Array): Vault {
  const key = deriveKey(masterKey, 'vault');
  const macKey = deriveKey(masterKey, 'vault-mac');
  const keyId = mac(macKey, 'key id').slice(0, 16);
  let secrets = readSecrets(file, { key, macKey, keyId });

  const replace = (next: ReadonlyMap<string, string>): void => {
    const entries = Object.fromEntries(
      [...next].map(([name, value]) => [name, seal(key, entryName(name), Buffer.from(value, 'utf8'))]),
    );
    const content: VaultContent = { version: 1, keyId, entries, mac: entriesMac(macKey, entries) };
    writeWhole(file, `${JSON.stringify(content, null, 2)}\n`);
    secrets = next;
  };

  return {
    list: () => [...secrets.keys()].sort(),
    get: (name) => secrets.get(name),
    set: (name, value) => {
      assertEntry(name, value);
      replace(new Map([...secrets, [name, value]]));
    },
    remove: (name) => {
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

function readSecrets(file: VaultFile, keys: VaultKeys): ReadonlyMap<string, string> {
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
      return [name, plain.toString('utf8')];
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
