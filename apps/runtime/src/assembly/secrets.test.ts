import type { SecretInfo } from '@agent-runtime/domain';
import type { Vault } from '@agent-runtime/store';
import { describe, expect, test } from 'vitest';
import { readConfig } from '../config.ts';
import { configSecrets, joinSecrets, secretRedactor } from './secrets.ts';

function memoryVault(values: Record<string, string>): Vault {
  return {
    list: async () =>
      Object.keys(values).map((name): SecretInfo => ({ name, source: 'vault', updatedAt: 1 })),
    get: (name) => values[name],
    set: async (name, value) => {
      values[name] = value;
    },
    remove: async (name) => delete values[name],
  };
}

describe('secrets', () => {
  test('the environment wins, and the list says where each comes from', async () => {
    const config = readConfig({ AGENT_RUNTIME_LLM_API_KEY: 'from-environment' }, '/');
    const vault = memoryVault({ LLM_API_KEY: 'from-vault', OTHER: 'other-secret' });
    const secrets = await joinSecrets(config, vault, secretRedactor([]));
    expect(secrets.get('LLM_API_KEY')).toBe('from-environment');
    expect(await secrets.vault.list()).toEqual([
      { name: 'LLM_API_KEY', source: 'environment' },
      { name: 'OTHER', source: 'vault', updatedAt: 1 },
    ]);
  });

  test('without it the vault is asked, each time', async () => {
    const vault = memoryVault({});
    const secrets = await joinSecrets(readConfig({}, '/'), vault, secretRedactor([]));
    expect(secrets.get('LLM_API_KEY')).toBeUndefined();
    await secrets.vault.set('LLM_API_KEY', 'rotated-key');
    expect(secrets.get('LLM_API_KEY')).toBe('rotated-key');
  });

  test('every one is hidden: of the environment, of the vault, of an address, and new ones at once', async () => {
    const config = readConfig(
      {
        AGENT_RUNTIME_LLM_API_KEY: 'canary-one',
        AGENT_RUNTIME_MASTER_KEY: 'canary-two',
        AGENT_RUNTIME_LLM_BASE_URL: 'http://u:canary-three@h/?key=canary-four',
      },
      '/',
    );
    const redactor = secretRedactor(configSecrets(config));
    const secrets = await joinSecrets(config, memoryVault({ TELEGRAM: 'canary-five' }), redactor);
    await secrets.vault.set('LATER', 'canary-six\n');
    const text = 'canary-one canary-two canary-three canary-four canary-five canary-six';
    expect(redactor.text(text)).not.toContain('canary');
    expect(JSON.stringify(redactor.value({ deep: [text] }))).not.toContain('canary');
  });

  test('a secret that holds another is hidden whole', () => {
    const redactor = secretRedactor(['abcdef', 'xx-abcdef-yy']);
    expect(redactor.text('key xx-abcdef-yy')).toBe('key [redacted]');
  });
});
