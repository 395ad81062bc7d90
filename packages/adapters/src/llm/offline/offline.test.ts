import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { type LlmMessage, type LlmTool, parseWorkspaceId } from '@agent-runtime/domain';
import { describe, expect, test } from 'vitest';
import { memorySearch } from '../../search/index.ts';
import { collect, llmConformance, textOf } from '../conformance.ts';
import { NO_MODEL } from './compose.ts';
import { intentOf, queryOf, situationOf } from './conversation.ts';
import { offlineProvider } from './offline.ts';
import { foundIn, linesIn } from './results.ts';

const tool = (name: string): LlmTool => ({ name, description: name, schema: { type: 'object' } });
const bothTools = [tool('qmd_search'), tool('md_read')];
const user = (text: string): LlmMessage => ({ role: 'user', text: `[2026-11-21 14:03 Ada] ${text}` });

llmConformance('offline', {
  situations: [
    {
      name: 'a question becomes a search',
      provider: () => offlineProvider(),
      request: { tools: bothTools },
      expect: { finish: 'tool_calls', tools: ['qmd_search'] },
    },
    {
      name: 'a greeting is answered',
      provider: () => offlineProvider(),
      request: { messages: [user('hello!')] },
      expect: { finish: 'stop', text: /No model is configured/ },
    },
    {
      name: 'no message at all',
      provider: () => offlineProvider(),
      request: { messages: [] },
      expect: { finish: 'stop' },
    },
    {
      name: 'a task that needs JSON is refused',
      provider: () => offlineProvider(),
      request: { output: { name: 'verdict', schema: {} } },
      expect: { failed: 'rejected' },
    },
  ],
});

const root = fileURLToPath(new URL('../../../../../data.example/workspaces/community', import.meta.url));
const notes = readdirSync(root, { recursive: true, encoding: 'utf8' })
  .filter((path) => path.endsWith('.md'))
  .map((path) => ({ workspace: 'community', path, text: readFileSync(join(root, path), 'utf8') }));
const search = memorySearch(notes);

/** Carries the calls out as the engine does, and shows results in its form. */
async function carryOut(
  name: string,
  args: { query?: string; limit?: number; path?: string; from_line?: number; lines?: number },
): Promise<string> {
  if (name === 'qmd_search') {
    const hits = await search.search(
      {
        workspace: parseWorkspaceId('community'),
        text: args.query ?? '',
        limit: args.limit ?? 5,
        isVisible: async () => true,
      },
      new AbortController().signal,
    );
    return hits
      .map(({ path, line, snippet }) =>
        snippet
          .split('\n')
          .map((text, index) => `${path}:${line + index}  ${text}`)
          .join('\n'),
      )
      .join('\n\n');
  }
  const lines = notes.find(({ path }) => path === args.path)?.text.split('\n') ?? [];
  const from = args.from_line ?? 1;
  return lines
    .slice(from - 1, from - 1 + (args.lines ?? 100))
    .map((text, index) => `${from + index}  ${text}`)
    .join('\n');
}

/** A whole run: the provider, and an engine that always says yes. */
async function run(
  said: readonly string[],
  tools: readonly LlmTool[] = bothTools,
): Promise<{ answer: string; calls: readonly string[] }> {
  const messages: LlmMessage[] = [{ role: 'system', text: 'Be brief.' }];
  for (const [index, text] of said.entries()) {
    if (index > 0) messages.push({ role: 'assistant', text: 'earlier answer', toolCalls: [] });
    messages.push(user(text));
  }
  const calls: string[] = [];
  for (let step = 0; step < 5; step += 1) {
    const events = await collect(offlineProvider(), { messages: [...messages], tools });
    const made = events.flatMap((event) => (event.kind === 'tool_call' ? [event.call] : []));
    if (made.length === 0) return { answer: textOf(events), calls };
    messages.push({ role: 'assistant', text: '', toolCalls: made });
    for (const call of made) {
      calls.push(call.name);
      const text = await carryOut(call.name, JSON.parse(call.argumentsJson));
      messages.push({ role: 'tool', callId: call.id, name: call.name, text, isError: false });
    }
  }
  throw new Error('the responder does not come to an end');
}

describe('over the example workspace', () => {
  test('quotes the whole refund answer with its place, and says that no model is configured', async () => {
    const { answer, calls } = await run(['How do I get a refund?']);
    expect(calls).toEqual(['qmd_search', 'md_read']);
    expect(answer).toContain('write to support@dewpeg.example within 30 days of delivery');
    expect(answer).toContain('If the goods are faulty, we pay for it.');
    expect(answer).toContain('(faq.md:13)');
    expect(answer).toContain(NO_MODEL);
    expect(answer).not.toContain(
      'Yes. A yearly Relay plan can be stopped at any time, and we refund the full months you have not used. A monthly',
    );
  });

  test('without md_read it quotes what the search showed', async () => {
    const { answer, calls } = await run(['How do I get a refund?'], [tool('qmd_search')]);
    expect(calls).toEqual(['qmd_search']);
    expect(answer).toContain('(faq.md:13)');
    expect(answer).toContain('write to support@dewpeg.example');
  });

  test.each([
    ['When is the next release?', '19 January 2027'],
    ['What is Relay?', 'our paid service'],
    ['Is there a mobile app?', 'installable on a phone'],
    ['who looks after security?', 'Odalys'],
  ])('%s', async (question, words) => {
    expect((await run([question])).answer).toContain(words);
  });

  test('a short follow-up is understood with the question before it', async () => {
    expect((await run(['How do I get a refund?', 'And for Relay?'])).answer).toContain('yearly Relay plan');
  });

  test('an item of a glossary is quoted alone', async () => {
    const { answer } = await run(['What is a Peg?']);
    expect(answer).toContain('our soil sensor');
    expect(answer).not.toContain('Radio stick**');
  });

  test('an order is not carried out and not searched for', async () => {
    const { answer, calls } = await run(['Post to #news that we are closed']);
    expect(calls).toEqual([]);
    expect(answer).toContain('needs a model');
  });

  test('every place that it names exists', async () => {
    for (const question of [
      'How do I get a refund?',
      'frost warning',
      'Where do you ship?',
      'relay outage',
    ]) {
      const { answer } = await run([question]);
      const places = [...answer.matchAll(/([\w./-]+\.md):(\d+)/g)];
      expect(places.length).toBeGreaterThan(0);
      for (const [, path, line] of places) {
        const lines = notes.find((note) => note.path === path)?.text.split('\n') ?? [];
        expect(lines.length).toBeGreaterThanOrEqual(Number(line));
      }
    }
  });

  test('what stands nowhere is not made up', async () => {
    const { answer, calls } = await run(['Where can I buy a zeppelin?']);
    expect(calls[0]).toBe('qmd_search');
    expect(answer).toMatch(/found nothing|nearest/);
    expect(answer).toMatch(/[Nn]o model is configured/);
  });

  test('a passage that shares only a word in passing is called the nearest, not the answer', async () => {
    const { answer } = await run([
      'Who won the chess championship in Berlin with the white pieces in summer?',
    ]);
    expect(answer).toMatch(/I found nothing/);
  });

  test('rules for the assistant come after the notes', async () => {
    const { answer } = await run(['refund reply skill promise']);
    expect(answer.indexOf('skills/')).not.toBe(answer.search(/[\w/]+\.md:/));
  });
});

describe('results that are not as expected', () => {
  const after = async (text: string, isError = false): Promise<string> => {
    const events = await collect(offlineProvider(), {
      messages: [
        user('How do I get a refund?'),
        {
          role: 'assistant',
          text: '',
          toolCalls: [{ id: 'offline_1', name: 'qmd_search', argumentsJson: '{}' }],
        },
        { role: 'tool', callId: 'offline_1', name: 'qmd_search', text, isError },
      ],
      tools: [tool('qmd_search')],
    });
    return textOf(events);
  };

  test('an error is told in one line', async () => {
    expect(await after('Denied: guests cannot search.\nAsk an admin.', true)).toContain(
      'Denied: guests cannot search. Ask an admin.',
    );
  });

  test('no hits, other words, hostile bytes: it says that it found nothing', async () => {
    for (const text of [
      '',
      'No notes fit.',
      '[cut: ask for a smaller part]',
      '\u0000:::\n.md:1 x',
      'a.md:x  y',
    ])
      expect(await after(text)).toMatch(/found nothing/);
  });

  test('no search here: it says so', async () => {
    const events = await collect(offlineProvider(), {
      messages: [user('How do I get a refund?')],
      tools: [],
    });
    expect(textOf(events)).toContain('does not allow a search');
  });
});

describe('reading', () => {
  test('lines that follow each other are one passage', () => {
    const text = 'a.md:3  one\na.md:4  two\n\na.md:9  nine\nmore of nine\nnotes/b c.md:1  other\n';
    expect(foundIn(text)).toEqual([
      { path: 'a.md', line: 3, lines: ['one', 'two'] },
      { path: 'a.md', line: 9, lines: ['nine', 'more of nine'] },
      { path: 'notes/b c.md', line: 1, lines: ['other'] },
    ]);
  });

  test('numbered lines in the usual forms', () => {
    for (const text of [
      '7  seven\n8  ',
      '7\tseven\n8\t',
      ' 7| seven\n 8|',
      'a.md:7  seven\na.md:8  ',
      '7: seven\n8:',
    ])
      expect(linesIn(text).get(7), text).toBe('seven');
    expect(linesIn('nothing here').size).toBe(0);
  });

  test('greetings, thanks and questions are told apart', () => {
    for (const text of ['hi', 'Hello!', 'ping', 'help']) expect(intentOf(text)).toBe('greeting');
    for (const text of ['post a note', 'Please summarise the meeting', 'can you send it'])
      expect(intentOf(text)).toBe('order');
    for (const text of ['thanks', 'Thank you very much!', 'ok']) expect(intentOf(text)).toBe('thanks');
    for (const text of [
      'hi, how do I ship?',
      'refund',
      'thanks, and how do I ship it?',
      'help me with shipping',
    ])
      expect(intentOf(text)).toBe('question');
  });

  test('a long question is cut, a follow-up takes the question before, data blocks are no questions', () => {
    const messages: LlmMessage[] = [
      { role: 'user', text: '<data name="memory">\n- x\n</data>' },
      user('Where do you ship?'),
      user('thanks'),
      user('What about Norway?'),
    ];
    const request = { model: 'm', messages, tools: [], maxOutputTokens: 1, idempotencyKey: 'k' };
    expect(queryOf(situationOf(request))).toBe('What about Norway? Where do you ship?');
    const long = { ...request, messages: [user('x'.repeat(5_000))] };
    expect(queryOf(situationOf(long)).length).toBeLessThanOrEqual(400);
  });
});
