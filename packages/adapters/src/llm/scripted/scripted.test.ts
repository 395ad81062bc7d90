import { AppError } from '@agent-runtime/domain';
import { manualClock } from '@agent-runtime/testkit';
import { expect, test } from 'vitest';
import { collect, llmConformance, textOf } from '../conformance.ts';
import { callTool, fail, inOrder, type Script, say } from './script.ts';
import { scriptedProvider } from './scripted.ts';

const always = (script: Script) => () => scriptedProvider({ script });

llmConformance('scripted', {
  situations: [
    {
      name: 'says a text',
      provider: always(() => say('Write to support.')),
      expect: { finish: 'stop', text: 'Write to support.' },
    },
    {
      name: 'calls two tools',
      provider: always(() => [...callTool('md_list', {}), ...callTool('md_read', { path: 'a.md' })]),
      expect: { finish: 'tool_calls', tools: ['md_list', 'md_read'] },
    },
    {
      name: 'keeps reasoning apart',
      provider: always(() => [{ kind: 'reasoning', delta: 'hmm-7' }, ...say('Yes.')]),
      expect: { finish: 'stop', text: 'Yes.', reasoning: 'hmm-7' },
    },
    {
      name: 'fails',
      provider: always(() => fail('exhausted', 'try later, please', 5)),
      expect: { failed: 'exhausted' },
    },
    {
      name: 'a script that throws fails with the kind that was thrown',
      provider: always(() => {
        throw new AppError({ code: 'llm.call.denied', kind: 'denied', message: 'scripted refusal' });
      }),
      expect: { failed: 'denied' },
    },
    {
      name: 'a script that breaks is a bug, and shows nothing of it',
      provider: always(() => {
        throw new Error('secret-of-the-script');
      }),
      expect: { failed: 'bug' },
    },
  ],
  hanging: always(() => [...say('half'), { kind: 'hang' }]),
  secrets: ['secret-of-the-script'],
});

test('replies in order, and a call too many is noticed', async () => {
  const provider = scriptedProvider({ script: inOrder(say('one'), say('two')) });
  expect(textOf(await collect(provider))).toBe('one');
  expect(textOf(await collect(provider))).toBe('two');
  expect((await collect(provider)).at(-1)).toMatchObject({ kind: 'failed', error: { kind: 'bug' } });
  expect(provider.requests).toHaveLength(3);
});

test('waits on its clock and holds for a promise', async () => {
  const clock = manualClock();
  const gate = Promise.withResolvers<void>();
  const provider = scriptedProvider({
    clock,
    script: () => [
      { kind: 'wait', ms: 50 },
      ...say('after'),
      { kind: 'hold', until: gate.promise },
      ...say(' all'),
    ],
  });
  let isOver = false;
  const call = collect(provider).finally(() => {
    isOver = true;
  });
  await clock.advance(49);
  expect([isOver, provider.running]).toEqual([false, 1]);
  await clock.advance(1);
  expect(isOver).toBe(false);
  gate.resolve();
  expect(textOf(await call)).toBe('after all');
  expect(provider.running).toBe(0);
});
