import { readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { manualClock } from '@agent-runtime/testkit';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { codeOf, MASTER_KEY, temporaryFolder } from '../../bench/fixtures.ts';
import {
  assertMasterKey,
  createMasterKey,
  deriveKey,
  formatMasterKey,
  makeSealer,
  masterKeyFromRecovery,
  openVault,
  parseMasterKey,
  recoveryKeyOf,
  seal,
  unseal,
  type VaultFile,
  vaultFile,
} from './index.ts';

const open = (path: string, key: Uint8Array = MASTER_KEY) =>
  openVault(vaultFile(path), key, manualClock(5_000));
const thrown = (act: () => unknown) => codeOf(Promise.resolve().then(act));

describe('the vault', () => {
  test('keeps secrets over restarts, lists names and times, forgets', async () => {
    const path = join(temporaryFolder(), 'deep', 'secrets.vault');
    const vault = open(path);
    expect(await vault.list()).toEqual([]);
    await vault.set('TELEGRAM_TOKEN', '123:canary');
    await vault.set('LLM_API_KEY', 'ünï');
    await vault.set('LLM_API_KEY', 'second');
    const again = open(path);
    expect(await again.list()).toEqual([
      { name: 'LLM_API_KEY', source: 'vault', updatedAt: 5_000 },
      { name: 'TELEGRAM_TOKEN', source: 'vault', updatedAt: 5_000 },
    ]);
    expect(again.get('LLM_API_KEY')).toBe('second');
    expect(again.get('NOBODY')).toBeUndefined();
    expect([await again.remove('LLM_API_KEY'), await again.remove('LLM_API_KEY')]).toEqual([true, false]);
    expect(open(path).get('LLM_API_KEY')).toBeUndefined();
  });

  test('on disk: for the owner alone, no value readable, no temporary file left', async () => {
    const folder = temporaryFolder();
    const path = join(folder, 'secrets.vault');
    await open(path).set('A', 'canary-4711');
    expect(statSync(path).mode & 0o777).toBe(0o600);
    expect(readFileSync(path, 'utf8')).not.toContain('canary');
    expect(readdirSync(folder)).toEqual(['secrets.vault']);
  });

  test('another master key is told from a changed file', async () => {
    const path = join(temporaryFolder(), 'secrets.vault');
    await open(path).set('A', 'one');
    expect(await thrown(() => open(path, createMasterKey()))).toBe('vault.key.denied');
  });

  test.each<[string, (file: VaultText) => unknown]>([
    ['an entry taken out', ({ entries: { B: _gone, ...entries }, ...rest }) => ({ ...rest, entries })],
    ['two entries swapped', (file) => ({ ...file, entries: { A: file.entries.B, B: file.entries.A } })],
    ['an entry under another name', (file) => ({ ...file, entries: { ...file.entries, C: file.entries.A } })],
    ['another mac', (file) => ({ ...file, mac: `00${file.mac.slice(2)}` })],
    ['no mac', ({ mac: _gone, ...rest }) => rest],
    ['another version', (file) => ({ ...file, version: 2 })],
    ['entries of another type', (file) => ({ ...file, entries: { A: 1 } })],
    ['null', () => null],
  ])('%s: refused', async (_what, change) => {
    const path = join(temporaryFolder(), 'secrets.vault');
    const vault = open(path);
    await vault.set('A', 'one');
    await vault.set('B', 'two');
    writeFileSync(path, JSON.stringify(change(JSON.parse(readFileSync(path, 'utf8')))));
    expect(await thrown(() => open(path))).toBe('vault.file.invalid');
    writeFileSync(path, 'garbage');
    expect(await thrown(() => open(path))).toBe('vault.file.invalid');
  });

  test('blank values and odd names are refused', async () => {
    const vault = open(join(temporaryFolder(), 'secrets.vault'));
    expect(await codeOf(vault.set('A', ' \n'))).toBe('vault.value.invalid');
    expect(await codeOf(vault.set('../A', 'x'))).toBe('vault.name.invalid');
    expect(await codeOf(vault.set('', 'x'))).toBe('vault.name.invalid');
  });

  test('when it cannot be written the old secrets stay, on disk and in memory', async () => {
    let text: string | undefined;
    let isFull = false;
    const file: VaultFile = {
      read: () => text,
      write: (next) => {
        if (isFull) throw new Error('ENOSPC');
        text = next;
      },
    };
    const vault = openVault(file, MASTER_KEY, manualClock());
    await vault.set('A', 'one');
    isFull = true;
    expect(await codeOf(vault.set('A', 'two'))).toBe('vault.file.unavailable');
    expect(await codeOf(vault.remove('A'))).toBe('vault.file.unavailable');
    expect(vault.get('A')).toBe('one');
    expect(openVault(file, MASTER_KEY, manualClock()).get('A')).toBe('one');
  });
});

interface VaultText {
  readonly entries: Readonly<Record<string, string>>;
  readonly mac: string;
}

describe('the master key', () => {
  test('goes to a file and back; anything else is refused without being repeated', async () => {
    const key = createMasterKey();
    expect(parseMasterKey(formatMasterKey(key))).toEqual(key);
    for (const bad of ['', 'short', `${formatMasterKey(key).trim()}AA`, key.toString('hex')])
      expect(await thrown(() => parseMasterKey(bad))).toBe('vault.key.invalid');
    expect(() => parseMasterKey('canary-4711')).toThrow(/^(?!.*canary).*$/s);
    expect(await thrown(() => assertMasterKey(new Uint8Array(16)))).toBe('vault.key.invalid');
  });

  test('comes back from the recovery key, however it was typed', () => {
    fc.assert(
      fc.property(fc.uint8Array({ minLength: 32, maxLength: 32 }), (bytes) => {
        const paper = recoveryKeyOf(bytes);
        expect(paper).toMatch(/^(?:[0-9A-HJKMNP-TV-Z]{4}-){13}[0-9A-HJKMNP-TV-Z]{4}$/);
        expect([...masterKeyFromRecovery(paper)]).toEqual([...bytes]);
        const sloppy = ` ${paper.toLowerCase().replaceAll('-', ' ').replaceAll('0', 'o').replaceAll('1', 'l')}\n`;
        expect([...masterKeyFromRecovery(sloppy)]).toEqual([...bytes]);
      }),
    );
  });

  test('a slip of the pen is noticed', async () => {
    const paper = recoveryKeyOf(MASTER_KEY);
    for (let at = 0; at < paper.length; at += 1) {
      if (paper[at] === '-') continue;
      const slipped = `${paper.slice(0, at)}${paper[at] === '7' ? '8' : '7'}${paper.slice(at + 1)}`;
      expect(await thrown(() => masterKeyFromRecovery(slipped))).toBe('vault.recovery.invalid');
    }
    expect(await thrown(() => masterKeyFromRecovery(paper.slice(5)))).toBe('vault.recovery.invalid');
    expect(await thrown(() => masterKeyFromRecovery('!'.repeat(56)))).toBe('vault.recovery.invalid');
  });

  test('keys of different purposes and masters differ', () => {
    const purposes = ['vault', 'vault-mac', 'audit-key', 'projector-mac', 'row-seal'] as const;
    const keys = [MASTER_KEY, createMasterKey()].flatMap((key) =>
      purposes.map((purpose) => deriveKey(key, purpose).toString('hex')),
    );
    expect(new Set(keys).size).toBe(10);
    expect(deriveKey(MASTER_KEY, 'vault')).toEqual(deriveKey(MASTER_KEY, 'vault'));
  });
});

describe('sealed bytes', () => {
  test('open only with their key, under their name, unchanged', () => {
    const sealed = seal(MASTER_KEY, 'name', Buffer.from('text'));
    expect(unseal(MASTER_KEY, 'name', sealed)?.toString()).toBe('text');
    expect(unseal(MASTER_KEY, 'other', sealed)).toBeUndefined();
    expect(unseal(createMasterKey(), 'name', sealed)).toBeUndefined();
    expect(unseal(MASTER_KEY, 'name', '')).toBeUndefined();
    const bytes = Buffer.from(sealed, 'base64');
    for (let at = 0; at < bytes.length; at += 1) {
      const flipped = Buffer.from(bytes);
      flipped[at] = (flipped[at] ?? 0) ^ 1;
      expect(unseal(MASTER_KEY, 'name', flipped.toString('base64'))).toBeUndefined();
    }
    expect(seal(MASTER_KEY, 'name', Buffer.from('text'))).not.toBe(sealed);
  });

  test('values of rows', async () => {
    const sealer = makeSealer(MASTER_KEY);
    expect(sealer.open(sealer.seal('proof key'))).toBe('proof key');
    const other = makeSealer(createMasterKey());
    expect(await thrown(() => other.open(sealer.seal('x')))).toBe('vault.value.denied');
    expect(await thrown(() => sealer.open('x'))).toBe('vault.value.denied');
  });
});
