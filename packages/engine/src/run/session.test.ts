import { isNotAbove, type Label, makeLabel } from '@agent-runtime/domain';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { NO_PROGRESS, type RunProgress, withTurn } from './session.ts';
import type { LlmStepValue, ToolStepValue } from './step-value.ts';

const label: fc.Arbitrary<Label> = fc
  .tuple(fc.constantFrom(0, 1, 2, 3), fc.subarray(['ws:a', 'ctx:a/b', 'priv:user_1'] as const))
  .map(([integrity, audience]) => makeLabel(integrity as Label['integrity'], audience)); // safe: 0 to 3

const llm = (read: Label): LlmStepValue => ({
  kind: 'llm',
  name: 'main',
  outcome: 'done',
  text: '',
  toolCalls: [],
  finish: 'tool_calls',
  label: read,
  usage: { inputTokens: 1, outputTokens: 1, cachedTokens: 0 },
  seenSeq: 1,
  urls: [],
});
const tool = (shown: Label, more: Partial<ToolStepValue> = {}): ToolStepValue => ({
  kind: 'tool',
  name: 'md_read',
  outcome: 'done',
  callId: 'c',
  text: '',
  label: shown,
  sources: [],
  urls: [],
  ...more,
});

test('the label of a run only grows: every turn is below all that came before it and all that it read', () => {
  fc.assert(
    fc.property(fc.array(fc.tuple(label, fc.array(label, { maxLength: 3 })), { maxLength: 6 }), (turns) => {
      let progress: RunProgress = NO_PROGRESS;
      for (const [read, shown] of turns) {
        const next = withTurn(
          progress,
          llm(read),
          shown.map((one) => tool(one)),
        );
        for (const bound of [progress.label, read, ...shown])
          expect(isNotAbove(next.label, bound)).toBe(true);
        // What the model said in a turn is a member's word at most, also for later prompts.
        expect(next.turns.at(-1)?.label.integrity).toBeLessThanOrEqual(1);
        progress = next;
      }
    }),
  );
});

test('a file may be cited up to the highest line that was shown', () => {
  const source = (line: number) => tool(makeLabel(1), { sources: [{ path: 'a.md', line }] });
  const progress = withTurn(withTurn(NO_PROGRESS, llm(makeLabel(1)), [source(9)]), llm(makeLabel(1)), [
    source(4),
  ]);
  expect([...progress.sources]).toEqual([['a.md', 9]]);
});
