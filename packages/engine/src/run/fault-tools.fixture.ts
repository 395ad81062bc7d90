import { type LlmMove, llm } from '@agent-runtime/testkit';
import {
  BROKEN,
  call,
  DEEP,
  ENDLESS,
  type FaultScript,
  failed,
  fine,
  lasting,
  mended,
  passing,
  WRITE,
} from './fault-script.fixture.ts';

/** Tool calls that no tool can carry out. */
export const TOOLS: readonly FaultScript[] = [
  {
    name: 'arguments that are no JSON',
    answer: () => call('md_write', '{"path":"notes/a.md","mode":"create","te'),
    ends: fine(/I will not/, /not valid JSON/),
    ...mended,
  },
  {
    name: 'arguments of the wrong types',
    answer: () => call('md_write', '{"path":7,"mode":["create"],"text":null}'),
    ends: fine(/I will not/, /do not fit/),
    ...mended,
  },
  {
    name: 'arguments that are a list',
    answer: () => call('post_message', '[1,2,3]'),
    ends: fine(/I will not/, /do not fit/),
    ...mended,
  },
  {
    name: 'arguments that lack what is needed',
    answer: () => call('post_message', '{"channel":"news-channel"}'),
    ends: fine(/I will not/, /do not fit/),
    ...mended,
  },
  {
    name: 'arguments with a __proto__',
    answer: () => call('md_write', '{"__proto__":{"text":"x"},"path":"notes/a.md","mode":"create"}'),
    ends: fine(/I will not/, /do not fit/),
    ...mended,
  },
  {
    name: 'arguments with more than is known',
    answer: () => call('md_write', `${WRITE.slice(0, -1)},"isApproved":true}`),
    ends: fine(/I will not/, /do not fit/),
    ...mended,
  },
  {
    name: 'arguments nested 200,000 deep',
    answer: () => call('md_write', `{"path":${'['.repeat(DEEP)}${']'.repeat(DEEP)}}`),
    ends: fine(/I will not/, /do not fit/),
    ...mended,
  },
  {
    name: 'a path with a NUL',
    answer: () => call('md_write', '{"path":"notes/a\\u0000.md","mode":"create","text":"x"}'),
    ends: fine(/I will not/, /path/),
    ...mended,
  },
  {
    name: 'an unknown tool',
    answer: () => call('delete_everything', '{}'),
    ends: fine(/I will not/, /There is no such tool/),
    ...mended,
  },
  {
    name: 'a tool of an inherited name',
    answer: () => call('__proto__', '{}'),
    ends: fine(/I will not/, /There is no such tool/),
    ...mended,
  },
  {
    name: 'a tool name of 100,000 characters',
    answer: () => call('x'.repeat(100_000), '{}'),
    ends: fine(/I will not/),
    ...mended,
  },
  {
    name: 'two calls of one id',
    answer: () => [
      ...llm.toolCalls([
        { id: 'c1', name: 'md_list', arguments: '{}' },
        { id: 'c1', name: 'md_list', arguments: '{}' },
      ]),
      ...llm.done('tool_calls'),
    ],
    ends: fine(/I will not/),
    ...mended,
  },
  {
    name: 'a call without a name',
    answer: () => [
      ...llm.data({
        choices: [
          { index: 0, delta: { tool_calls: [{ index: 0, id: 'c1', function: { arguments: WRITE } }] } },
        ],
      }),
      ...llm.done('tool_calls'),
    ],
    ends: BROKEN,
    ...passing,
    charged: 'some',
  },
  {
    name: '10,000 tool calls',
    answer: () => [
      ...llm.toolCalls(
        Array.from({ length: 10_000 }, (_, n) => ({ id: `c${n}`, name: 'md_write', arguments: '{}' })),
        10,
      ),
      ...llm.done('tool_calls'),
    ],
    ends: failed('run.calls.rejected', /too many tools.* Ask/s),
    ...lasting,
    charged: 'all',
  },
  {
    name: 'arguments of 10 MB',
    answer: () => () => bigCall(160),
    ends: failed('llm.call.rejected', /did not stop.* Ask/s),
    ...lasting,
    charged: 'all',
  },
  { name: 'arguments of 2 MB', answer: () => () => bigCall(32), ends: ENDLESS, ...lasting, charged: 'all' },
  {
    name: 'the same broken call again and again',
    answer: () => call('md_write', '{"path":'),
    ends: failed('run.progress.exhausted', /again and again.* Ask/s),
    isRescued: false,
    calls: 3,
    charged: 150,
  },
];

function* bigCall(pieces: number): Iterable<LlmMove> {
  yield {
    kind: 'tools',
    deltas: [
      { index: 0, id: 'c1', name: 'md_write', arguments: '{"path":"notes/a.md","mode":"create","text":"' },
    ],
  };
  for (let n = 0; n < pieces; n += 1)
    yield { kind: 'tools', deltas: [{ index: 0, arguments: 'x'.repeat(64 * 1024) }] };
  yield { kind: 'tools', deltas: [{ index: 0, arguments: '"}' }] };
  yield* llm.done('tool_calls');
}
