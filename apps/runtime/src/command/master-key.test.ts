import { chmodSync, mkdtempSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { formatMasterKey } from '@agent-runtime/store';
import { describe, expect, test } from 'vitest';
import { makeMasterKey, masterKeyFile, readMasterKey } from './master-key.ts';

const fresh = () => ({ secretsDir: join(mkdtempSync(join(tmpdir(), 'key-')), 'secrets') });

describe('master key', () => {
  test('made once, in a folder and a file for the owner alone, and never replaced', () => {
    const config = fresh();
    const key = makeMasterKey(config);
    expect(readMasterKey(config)).toEqual(key);
    expect(statSync(config.secretsDir).mode & 0o777).toBe(0o700);
    expect(statSync(masterKeyFile(config)).mode & 0o777).toBe(0o600);
    expect(() => makeMasterKey(config)).toThrow('never replaced');
    expect(readMasterKey(config)).toEqual(key);
  });

  test('the environment wins', () => {
    const config = fresh();
    makeMasterKey(config);
    const other = new Uint8Array(32).fill(5);
    expect([...readMasterKey({ ...config, MASTER_KEY: formatMasterKey(other).trim() })]).toEqual([...other]);
    expect(() => makeMasterKey({ ...fresh(), MASTER_KEY: 'x' })).toThrow('never replaced');
  });

  test('none: says what to do', () => {
    expect(() => readMasterKey(fresh())).toThrow('agent-runtime setup');
  });

  test('readable by others: refused', () => {
    const config = fresh();
    makeMasterKey(config);
    chmodSync(masterKeyFile(config), 0o640);
    expect(() => readMasterKey(config)).toThrow('chmod 600');
  });

  test('a key of another form is refused without being repeated', () => {
    expect(() => readMasterKey({ ...fresh(), MASTER_KEY: 'canary-not-a-key' })).toThrow(
      expect.objectContaining({ code: 'vault.key.invalid', message: expect.not.stringContaining('canary') }),
    );
  });
});
