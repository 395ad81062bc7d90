import fc from 'fast-check';
import { expect, test } from 'vitest';
import { thinkFilter } from './think.ts';

function split(pieces: readonly string[]): { text: string; reasoning: string } {
  const filter = thinkFilter();
  const spoken = [...pieces.flatMap((piece) => [...filter.push(piece)]), ...filter.end()];
  const join = (kind: string) =>
    spoken
      .filter((one) => one.kind === kind)
      .map(({ delta }) => delta)
      .join('');
  return { text: join('text'), reasoning: join('reasoning') };
}

test.each([
  ['<think>plan</think>\n\nAnswer.', 'Answer.', 'plan'],
  ['  \n<think>plan</think>Answer.', 'Answer.', 'plan'],
  ['Answer about <think>tags</think>.', 'Answer about <think>tags</think>.', ''],
  ['<think>never closed', '', 'never closed'],
  ['<thinker> is no tag', '<thinker> is no tag', ''],
  ['<thi', '<thi', ''],
  ['<think></think>Answer.', 'Answer.', ''],
  ['', '', ''],
])('%j', (whole, text, reasoning) => {
  expect(split([whole])).toEqual({ text, reasoning });
});

test('however a text is cut into pieces, the parts are the same', () => {
  const word = fc.constantFrom('<think>', '</think>', '<', '</th', 'a', ' ', '\n', 'text', 'think>');
  fc.assert(
    fc.property(fc.array(word, { maxLength: 12 }), fc.integer({ min: 1, max: 5 }), (words, size) => {
      const whole = words.join('');
      const pieces = whole.match(new RegExp(`[\\s\\S]{1,${size}}`, 'g')) ?? [];
      expect(split(pieces)).toEqual(split([whole]));
    }),
  );
});
