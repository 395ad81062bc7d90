import { llm } from '@agent-runtime/testkit';
import { BROKEN, type FaultScript, fine, passing, usage } from './fault-script.fixture.ts';

const answered: readonly FaultScript[] = (
  [
    {
      name: 'usage is missing',
      answer: () => [...llm.text('counted'), { kind: 'finish', finish: 'stop' }],
      charged: 'some' as const,
    },
    {
      name: 'usage is null',
      answer: () => usage({ prompt_tokens: null, completion_tokens: null }),
      charged: 'some' as const,
    },
    {
      name: 'usage is negative',
      answer: () => usage({ prompt_tokens: -5, completion_tokens: -7 }),
      charged: 'all' as const,
    },
    {
      name: 'usage is 1e300',
      answer: () => usage({ prompt_tokens: 1e300, completion_tokens: 1e300 }),
      charged: 'all' as const,
    },
    {
      name: 'usage is a fraction',
      answer: () => usage({ prompt_tokens: 0.4, completion_tokens: 0.4 }),
      charged: 2,
    },
    {
      name: 'usage says zero',
      answer: () => usage({ prompt_tokens: 0, completion_tokens: 0 }),
      charged: 'some' as const,
    },
  ] satisfies readonly Pick<FaultScript, 'name' | 'answer' | 'charged'>[]
).map((one) => ({ ...one, ends: fine(/^counted$/), calls: 1, isRescued: false }));

const unreadable: readonly FaultScript[] = [
  {
    name: 'usage is Infinity once it is read',
    answer: () => [
      ...llm.text('counted'),
      ...llm.raw(
        'data: {"choices":[{"index":0,"delta":{},"finish_reason":"stop"}],"usage":{"prompt_tokens":1e999,"completion_tokens":1e999}}\n\n',
      ),
    ],
    ends: BROKEN,
    ...passing,
    charged: 'some',
  },
  {
    name: 'usage is words',
    answer: () => usage({ prompt_tokens: 'many', completion_tokens: '7' }),
    ends: BROKEN,
    ...passing,
    charged: 'some',
  },
  {
    name: 'usage is no number',
    answer: () => [
      ...llm.text('counted'),
      ...llm.raw('data: {"choices":[],"usage":{"prompt_tokens":NaN}}\n\n'),
    ],
    ends: BROKEN,
    ...passing,
    charged: 'some',
  },
];

/** What servers say that a call has cost. */
export const COUNTS: readonly FaultScript[] = [...answered, ...unreadable];
