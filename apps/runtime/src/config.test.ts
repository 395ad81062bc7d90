import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { AppError } from '@agent-runtime/domain';
import { describe, expect, test } from 'vitest';
import { readConfig } from './config.ts';

const folder = mkdtempSync(join(tmpdir(), 'config-'));

function file(name: string, text: string): string {
  const path = join(folder, name);
  writeFileSync(path, text);
  return path;
}

function refusal(env: Readonly<Record<string, string>>): AppError {
  try {
    readConfig(env, '/srv');
  } catch (thrown) {
    if (thrown instanceof AppError) return thrown;
    throw thrown;
  }
  throw new Error('accepted');
}

describe('defaults', () => {
  test('an empty environment is enough', () => {
    const config = readConfig({ PATH: '/bin' }, '/srv');
    expect(config.dataDir).toBe('/srv/data');
    expect(config.secretsDir).toBe('/srv/secrets');
    expect(config.PUBLIC_LISTEN).toEqual({ host: '127.0.0.1', port: 8080 });
    expect(config.METRICS_LISTEN).toEqual({ host: '127.0.0.1', port: 9090 });
    expect(config.memoryDir).toBeUndefined();
    expect(config.unknown).toEqual([]);
    expect(config.suppliedSecrets).toEqual([]);
  });

  test('secrets lie beside the data folder, never inside it', () => {
    const config = readConfig({ AGENT_RUNTIME_DATA_DIR: '/var/lib/ar/data' }, '/srv');
    expect(config.secretsDir).toBe('/var/lib/ar/secrets');
  });
});

describe('values', () => {
  test.each([
    ['127.0.0.1:0', { host: '127.0.0.1', port: 0 }],
    ['[::1]:8080', { host: '::1', port: 8080 }],
    ['localhost:65535', { host: 'localhost', port: 65_535 }],
  ])('%s is a place to listen', (text, listen) => {
    expect(readConfig({ AGENT_RUNTIME_PUBLIC_LISTEN: text }, '/').PUBLIC_LISTEN).toEqual(listen);
  });

  test('an empty METRICS_LISTEN turns metrics off', () => {
    expect(readConfig({ AGENT_RUNTIME_METRICS_LISTEN: '' }, '/').METRICS_LISTEN).toBeUndefined();
  });

  test('any value may come from a file, whose last newline does not count', () => {
    const path = file('key', 'canary-key-123\n');
    const config = readConfig({ AGENT_RUNTIME_LLM_API_KEY_FILE: path }, '/');
    expect(config.LLM_API_KEY).toBe('canary-key-123');
    expect(config.suppliedSecrets).toEqual(['LLM_API_KEY']);
  });

  test('prices are dollars per million tokens in and out, by model', () => {
    const read = (text: string) => readConfig({ AGENT_RUNTIME_LLM_PRICES: text }, '/').LLM_PRICES;
    expect(read('big=1.4/4.4, lab/small:8b=0/0')).toEqual(
      new Map([
        ['big', { inputUsd: 1.4, outputUsd: 4.4 }],
        ['lab/small:8b', { inputUsd: 0, outputUsd: 0 }],
      ]),
    );
    for (const text of [
      'big',
      'big=1.4',
      '=1/2',
      'big=1/2,',
      'big=1,4/4,4',
      'big=-1/2',
      'a=1/2,a=1/3',
      'a=1e3/2',
    ])
      expect(() => read(text), text).toThrow(/LLM_PRICES: write each model once/);
  });

  test('a variable of ours that means nothing is listed', () => {
    const env = { AGENT_RUNTIME_LLM_MODLE: 'x', AGENT_RUNTIME_SIGNAL_TOKEN: 'y', OTHER: 'z' };
    expect(readConfig(env, '/').unknown).toEqual(['AGENT_RUNTIME_LLM_MODLE', 'AGENT_RUNTIME_SIGNAL_TOKEN']);
  });
});

describe('refusals name the variable and never repeat the value', () => {
  test.each([
    ['LLM_API_KEY', '', 'blank'],
    ['LLM_API_KEY', '  \t ', 'blank'],
    ['MASTER_KEY', '', 'blank'],
    ['PUBLIC_LISTEN', 'secret-canary', 'host:port'],
    ['PUBLIC_LISTEN', '', 'host:port'],
    ['PUBLIC_LISTEN', '127.0.0.1:70000', 'host:port'],
    ['METRICS_LISTEN', 'secret-canary', 'host:port'],
    ['LOG_LEVEL', 'secret-canary', 'debug, info'],
    ['LLM_PROVIDER', 'secret-canary', 'zai, openai-compatible, offline'],
    ['LLM_BASE_URL', 'file:///etc/secret-canary', 'address'],
    ['RATE_PER_MINUTE', '-1', 'number'],
    ['DATABASE_URL', 'postgres://u:secret-canary@db/x', 'only the embedded database'],
    ['TELEGRAM_TOKEN', '', 'blank'],
    ['TELEGRAM_TOKEN', 'secret-canary', 'BotFather'],
    ['TELEGRAM_MODE', 'secret-canary', 'polling, webhook'],
    ['TELEGRAM_WEBHOOK_SECRET', '', '24 to 256'],
    ['TELEGRAM_WEBHOOK_SECRET', 'secret-canary', '24 to 256'],
    ['TELEGRAM_API_ROOT', 'secret-canary', 'address'],
    ['DISCORD_TOKEN', '', 'blank'],
    ['DISCORD_TOKEN', 'secret-canary', 'developer portal'],
    ['DISCORD_API_ROOT', 'secret-canary', 'address'],
  ])('%s=%j', (name, value, hint) => {
    const error = refusal({ [`AGENT_RUNTIME_${name}`]: value });
    expect(error.kind).toBe('invalid');
    expect(error.message).toContain(`AGENT_RUNTIME_${name}`);
    expect(error.message).toContain(hint);
    expect(error.message).not.toContain('secret-canary');
  });

  test('a blank secret in a file', () => {
    expect(refusal({ AGENT_RUNTIME_LLM_API_KEY_FILE: file('blank', '\n') }).message).toContain('blank');
  });

  test('a file that is not there', () => {
    const error = refusal({ AGENT_RUNTIME_LLM_API_KEY_FILE: join(folder, 'nowhere') });
    expect(error.message).toContain('AGENT_RUNTIME_LLM_API_KEY_FILE: the file cannot be read');
  });

  test('a webhook without an address that Telegram can reach', () => {
    expect(refusal({ AGENT_RUNTIME_TELEGRAM_MODE: 'webhook' }).message).toContain('AGENT_RUNTIME_PUBLIC_URL');
  });

  test('a value and a file for one name', () => {
    const both = {
      AGENT_RUNTIME_LLM_API_KEY: 'abcdefgh',
      AGENT_RUNTIME_LLM_API_KEY_FILE: file('k2', 'abcdefgh'),
    };
    expect(refusal(both).message).toContain('not both');
  });
});
