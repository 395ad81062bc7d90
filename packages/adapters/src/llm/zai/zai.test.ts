import { llm, startLlmServer } from '@agent-runtime/testkit';
import { expect, test } from 'vitest';
import { collect, textOf } from '../conformance.ts';
import { ZAI_DEFAULTS, ZAI_MODELS } from './models.ts';
import { zaiBody, zaiProvider } from './zai.ts';

test('speaks the protocol with the habits of z.ai', async () => {
  const server = await startLlmServer();
  try {
    const provider = zaiProvider({ baseUrl: server.baseUrl, apiKey: () => 'key-000000' });
    server.next([...llm.reasoning('hm'), ...llm.text('{"ok":true}'), ...llm.done()]);
    const output = { name: 'verdict', schema: { type: 'object', properties: {} } };
    const events = await collect(provider, { model: ZAI_DEFAULTS.model, temperature: 1.5, output });
    expect(provider.id).toBe('zai');
    expect(textOf(events)).toBe('{"ok":true}');
    expect(events.at(-1)).toMatchObject({ kind: 'done', usage: { inputTokens: 120, outputTokens: 30 } });
    const { body } = server.requests[0] ?? {};
    expect(body).toMatchObject({
      model: 'glm-5.3',
      temperature: 1,
      tool_stream: true,
      response_format: { type: 'json_object' },
    });
    expect(body?.stream_options).toBeUndefined();
  } finally {
    await server.close();
  }
});

test('without tools nothing is asked about them', () => {
  expect(zaiBody({ model: 'm' })).toEqual({ model: 'm' });
});

test('default models are in the table, and prices are whole', () => {
  const names = ZAI_MODELS.map(({ model }) => model);
  for (const model of Object.values(ZAI_DEFAULTS)) expect(names).toContain(model);
  for (const { inputUsdMicrosPerMTok, outputUsdMicrosPerMTok } of ZAI_MODELS) {
    expect(Number.isInteger(inputUsdMicrosPerMTok)).toBe(true);
    expect(outputUsdMicrosPerMTok).toBeGreaterThan(inputUsdMicrosPerMTok);
  }
});
