import { expect, test } from 'vitest';
import { readConfig } from '../config.ts';
import { elsewhereText } from './elsewhere.ts';

const textFor = (env: Readonly<Record<string, string>>) => {
  const named = Object.entries(env).map(([name, value]) => [`AGENT_RUNTIME_${name}`, value]);
  return elsewhereText(readConfig(Object.fromEntries(named), '/'), 'owner');
};

test.each([
  [{}],
  [{ ADMIN_LISTEN: '' }],
  [{ ADMIN_LISTEN: '', ADMIN_URL: 'https://admin.example' }],
  [{ ADMIN_LISTEN: '127.0.0.9:1' }],
  [{ ADMIN_LISTEN: '[::1]:8443' }],
  [{ ADMIN_LISTEN: 'localhost:8443' }],
  [{ ADMIN_LISTEN: '0.0.0.0:8443', ADMIN_URL: 'https://localhost:9000' }],
] as const)('with %j nobody else gets in, and nothing is said', (env) => {
  expect(textFor(env)).toBeUndefined();
});

test.each([
  [{ ADMIN_LISTEN: '[2001:db8::7]:8443' }],
  [{ ADMIN_LISTEN: '0.0.0.0:8443', ADMIN_URL: 'https://192.0.2.7:8443' }],
  [{ ADMIN_LISTEN: '192.0.2.7:8443' }],
  [{ ADMIN_LISTEN: '127.0.0.1.example:8443' }],
  [{ ADMIN_URL: 'https://admin.example' }],
] as const)('with %j it says both commands', (env) => {
  expect(textFor(env)).toContain('invite create --user owner');
  expect(textFor(env)).toContain('enrol --url PUBLIC-ADDRESS --invite CODE');
});

test('the public address is named where it is known', () => {
  const env = { ADMIN_LISTEN: '192.0.2.7:1', PUBLIC_URL: 'https://agents.example' };
  expect(textFor(env)).toContain('enrol --url https://agents.example --invite CODE');
});
