import { AppError } from '@agent-runtime/domain';
import type { LlmStepValue } from './step-value.ts';

/** Has the model answered, so that the run can end? What its provider filtered, and an empty text, is no answer. */
export function isAnswer(llm: LlmStepValue): boolean {
  return llm.toolCalls.length === 0 && llm.finish !== 'filtered' && llm.text.trim() !== '';
}

/**
 * What a provider's own filter stopped is no answer, and the calls in it are none; nor is an empty text.
 * @throws AppError run.answer.rejected · run.answer.exhausted · run.answer.unavailable
 */
export function assertAnswered(llm: LlmStepValue): void {
  if (llm.finish === 'filtered')
    throw new AppError({
      code: 'run.answer.rejected',
      kind: 'rejected',
      message:
        'The provider refused to answer this. Ask in other words, or let an admin choose another model.',
    });
  if (llm.toolCalls.length > 0 || llm.text.trim() !== '') return;
  if (llm.finish === 'length')
    throw new AppError({
      code: 'run.answer.exhausted',
      kind: 'exhausted',
      message: 'The model reached its length limit before it had said anything whole. Ask for less at once.',
    });
  throw new AppError({
    code: 'run.answer.unavailable',
    kind: 'unavailable',
    message: 'The model sent an empty answer. Try again.',
  });
}

/** The words of an answer; one that was cut says so. */
export function answerOf(llm: LlmStepValue): string {
  const text = llm.text.trim();
  return llm.finish === 'length'
    ? `${text}\n\n(The answer was cut: the model reached its length limit.)`
    : text;
}
