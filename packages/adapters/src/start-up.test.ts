import { spawnSync } from 'node:child_process';
import { expect, test } from 'vitest';

const index = new URL('./index.ts', import.meta.url).href;
const telegram = new URL('./connectors/telegram/index.ts', import.meta.url).href;

/** Names that are loaded when a fresh process runs this after importing the adapters. */
function loadedBy(statement: string): readonly string[] {
  const script = `
    import { registerHooks } from 'node:module';
    const seen = new Set();
    registerHooks({ resolve: (name, context, next) => { seen.add(name); return next(name, context); } });
    const adapters = await import(${JSON.stringify(index)});
    ${statement}
    console.log(JSON.stringify([...seen].filter((name) => !name.startsWith('.') && !name.startsWith('node:'))));`;
  const child = spawnSync(process.execPath, ['--input-type=module', '-e', script], { encoding: 'utf8' });
  expect(child.stderr).toBe('');
  return JSON.parse(child.stdout);
}

test('importing the adapters loads neither the SDK nor the HTTP library nor that of a chat; their use does', {
  timeout: 60_000,
}, () => {
  const heavy = (names: readonly string[]): readonly string[] =>
    names.filter(
      (name) => name === 'undici' || name === '@ai-sdk/openai-compatible' || name === 'grammy/web',
    );
  expect(heavy(loadedBy(''))).toEqual([]);
  const call = `
    const provider = adapters.openAiCompatibleProvider({ id: 'x', baseUrl: 'http://127.0.0.1:1/v1' });
    const request = { model: 'm', messages: [], tools: [], maxOutputTokens: 1, idempotencyKey: 'k' };
    for await (const event of provider.stream(request, new AbortController().signal)) {}
    await import(${JSON.stringify(telegram)});`;
  expect([...heavy(loadedBy(call))].sort()).toEqual(['@ai-sdk/openai-compatible', 'grammy/web', 'undici']);
});
