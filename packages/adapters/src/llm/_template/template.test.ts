import { llmConformance } from '../conformance.ts';
import { templateProvider } from './template.ts';

const KEY = 'canary-key-template';
const end = { type: 'end', input: 10, output: 5 };

/** A provider whose server answers with these lines, then closes; `hangs` keeps the line open. */
function answering(lines: readonly unknown[], init: ResponseInit & { hangs?: boolean } = {}) {
  const fetch: typeof globalThis.fetch = async () => {
    const bytes = new TextEncoder().encode(
      lines.map((one) => `${typeof one === 'string' ? one : JSON.stringify(one)}\n`).join(''),
    );
    const body = new ReadableStream<Uint8Array>({
      start: (controller) => {
        controller.enqueue(bytes);
        if (init.hangs !== true) controller.close();
      },
    });
    return new Response(body, init);
  };
  return () => templateProvider({ baseUrl: 'http://model.invalid', apiKey: () => KEY, fetch });
}

const search = { type: 'call', id: 'c1', name: 'qmd_search', arguments: '{"query":"x"}' };

llmConformance('_template', {
  situations: [
    {
      name: 'a text',
      provider: answering([{ type: 'text', text: 'Hi' }, { type: 'text', text: ' you' }, end]),
      expect: { finish: 'stop', text: 'Hi you' },
    },
    {
      name: 'a tool call',
      provider: answering([search, end]),
      expect: { finish: 'tool_calls', tools: ['qmd_search'] },
    },
    {
      name: 'thoughts are kept apart',
      provider: answering([{ type: 'thought', text: 'hm-1' }, { type: 'text', text: 'Yes' }, end]),
      expect: { finish: 'stop', text: 'Yes', reasoning: 'hm-1' },
    },
    {
      name: 'cut before the end yields no tool call',
      provider: answering([search]),
      expect: { failed: 'unavailable', tools: [] },
    },
    {
      name: 'something unreadable',
      provider: answering(['{"type":', end]),
      expect: { failed: 'unavailable' },
    },
    { name: 'a wrong key', provider: answering([KEY], { status: 401 }), expect: { failed: 'rejected' } },
    { name: 'no such model', provider: answering([], { status: 404 }), expect: { failed: 'missing' } },
    {
      name: 'busy',
      provider: answering([], { status: 429, headers: { 'retry-after': '3' } }),
      expect: { failed: 'exhausted' },
    },
    { name: 'down', provider: answering([], { status: 503 }), expect: { failed: 'unavailable' } },
    {
      name: 'not reachable',
      provider: () =>
        templateProvider({
          baseUrl: 'http://model.invalid',
          apiKey: () => KEY,
          fetch: () => Promise.reject(new TypeError('fetch failed')),
        }),
      expect: { failed: 'unavailable' },
    },
  ],
  hanging: answering([{ type: 'text', text: 'half' }], { hangs: true }),
  secrets: [KEY],
});
