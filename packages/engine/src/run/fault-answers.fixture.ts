import { gzipSync } from 'node:zlib';
import { type LlmMove, llm } from '@agent-runtime/testkit';
import {
  BROKEN,
  DEEP,
  EMPTY,
  ENDLESS,
  type FaultScript,
  failed,
  fine,
  good,
  lasting,
  MIB,
  passing,
  whole,
} from './fault-script.fixture.ts';

/** Answers that are none, or too many. */
export const ANSWERS: readonly FaultScript[] = [
  {
    name: 'no choices at all',
    answer: () => [...llm.empty(), ...llm.empty()],
    ends: BROKEN,
    ...passing,
    charged: 'some',
  },
  { name: 'an empty answer', answer: () => llm.done(), ends: EMPTY, ...passing, charged: 150 },
  { name: 'blanks', answer: () => good('  \n \t '), ends: EMPTY, ...passing, charged: 150 },
  {
    name: 'reasoning and nothing else',
    answer: () => [...llm.reasoning('I think, so'), ...llm.done()],
    ends: EMPTY,
    ...passing,
    charged: 150,
  },
  {
    name: 'a thought in its text that never ends',
    answer: () => good('<think>for ever and ever'),
    ends: EMPTY,
    ...passing,
    charged: 150,
  },
  {
    name: 'a page instead of a stream',
    answer: () => llm.body('<html>welcome</html>', { 'content-type': 'text/html' }),
    ends: BROKEN,
    ...passing,
    charged: 'some',
  },
  {
    name: 'whole JSON instead of a stream',
    answer: () =>
      llm.body(JSON.stringify({ choices: [{ message: { content: 'whole' }, finish_reason: 'stop' }] })),
    ends: BROKEN,
    ...passing,
    charged: 'some',
  },
  {
    name: 'a chunk that is no JSON',
    answer: () => [...llm.text('a'), ...llm.raw('data: {"choices":[{"del\n\n'), ...llm.done()],
    ends: BROKEN,
    ...passing,
    charged: 'some',
  },
  {
    name: 'chunks of wrong types',
    answer: () => [...llm.data({ choices: 'none' }), ...llm.data([1, 2]), ...llm.done()],
    ends: BROKEN,
    ...passing,
    charged: 'some',
  },
  {
    name: 'a chunk with a __proto__',
    answer: () => [
      ...llm.raw('data: {"__proto__":{"isAdmin":true},"choices":[{"index":0,"delta":{"content":"x"}}]}\n\n'),
      ...llm.done(),
    ],
    ends: BROKEN,
    ...passing,
    charged: 'some',
  },
  {
    name: 'a chunk nested 200,000 deep',
    answer: () => [...llm.raw(`data: ${'['.repeat(DEEP)}${']'.repeat(DEEP)}\n\n`), ...llm.done()],
    ends: BROKEN,
    ...passing,
    charged: 'some',
  },
  {
    name: 'bytes that are no UTF-8',
    answer: () => [
      ...llm.raw(
        Buffer.concat([
          Buffer.from('data: {"choices":[{"index":0,"delta":{"content":"bad '),
          Uint8Array.of(0xff, 0xfe),
          Buffer.from(' bytes"}}]}\n\n'),
        ]),
      ),
      ...llm.done(),
    ],
    ends: fine(/^bad \uFFFD+ bytes$/),
    isRescued: false,
    calls: 1,
    charged: 150,
  },
  {
    name: 'a NUL in its text',
    answer: () => [...llm.data({ choices: [{ index: 0, delta: { content: 'a\u0000b' } }] }), ...llm.done()],
    ends: fine(/^a.?b$/s),
    isRescued: false,
    calls: 1,
    charged: 150,
  },
  {
    name: 'two choices',
    answer: () => [
      ...llm.data({
        choices: [
          { index: 0, delta: { content: 'first' } },
          { index: 1, delta: { content: 'second' } },
        ],
      }),
      ...llm.done(),
    ],
    ends: fine(/^first$/),
    isRescued: false,
    calls: 1,
    charged: 150,
  },
  {
    name: 'its filter stops the text',
    answer: () => [...llm.text('half'), ...llm.done('content_filter')],
    ends: failed('run.answer.rejected', /refused to answer.* (Ask|Say)/s),
    isRescued: false,
    calls: 1,
    charged: 150,
  },
  {
    name: 'its filter stops tool calls',
    answer: () => [...whole, ...llm.done('content_filter')],
    ends: failed('run.answer.rejected', /refused to answer.* (Ask|Say)/s),
    isRescued: false,
    calls: 1,
    charged: 150,
  },
  {
    name: 'an answer of 10 MB',
    answer: () => () => repeat('x'.repeat(64 * 1024), 160),
    ends: ENDLESS,
    ...lasting,
    charged: 'all',
  },
  {
    name: 'an answer without end',
    answer: () => () => llm.endless('more and more '.repeat(100)),
    ends: ENDLESS,
    ...lasting,
    charged: 'all',
  },
  {
    name: 'thoughts without end',
    answer: () => () => repeatReasoning(),
    ends: ENDLESS,
    ...lasting,
    charged: 'all',
  },
  {
    name: 'a zip bomb',
    answer: () =>
      llm.body(gzipSync(Buffer.alloc(64 * MIB, ': padding\n\n')), {
        'content-type': 'text/event-stream',
        'content-encoding': 'gzip',
      }),
    ends: failed('llm.call.rejected', /did not stop.* Ask/s),
    ...lasting,
    charged: 'all',
  },
  {
    name: 'comments without end',
    answer: () => () => comments(),
    ends: failed('llm.call.rejected', /did not stop.* Ask/s),
    ...lasting,
    charged: 'all',
  },
];

function* repeat(delta: string, times: number): Iterable<LlmMove> {
  for (let n = 0; n < times; n += 1) yield { kind: 'text', delta };
  yield* llm.done();
}

function* repeatReasoning(): Iterable<LlmMove> {
  for (;;) yield { kind: 'reasoning', delta: 'hm '.repeat(1_000) };
}

function* comments(): Iterable<LlmMove> {
  for (;;) yield { kind: 'raw', bytes: `: ${'x'.repeat(16_000)}\n\n` };
}
