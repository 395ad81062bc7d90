import type { FinishReason, LlmEvent, LlmRequest, ToolCall, Usage } from '@agent-runtime/domain';
import type { LanguageModelV4StreamPart } from '@ai-sdk/provider';
import { estimatedUsage, failed } from '../stream.ts';
import { type Spoken, thinkFilter } from '../think.ts';
import { type Failure, failedBy, failureInStream, failureOf } from './failure.ts';

type Finish = Extract<LanguageModelV4StreamPart, { type: 'finish' }>;

/**
 * Turns the parts of the SDK into events of the port. Tool calls are held until the answer ends well: of an answer that broke, was
 * cut for length or was filtered, none is let through.
 * @param onFailure told what the server said, for the log
 */
export async function* toEvents(
  parts: AsyncIterable<LanguageModelV4StreamPart>,
  request: LlmRequest,
  onFailure: (failure: Failure) => void,
): AsyncGenerator<LlmEvent, void, undefined> {
  const filter = thinkFilter();
  const calls: ToolCall[] = [];
  let text = '';
  let all = '';
  const heard = (spoken: readonly Spoken[]): readonly Spoken[] => {
    for (const { kind, delta } of spoken) {
      all += delta;
      if (kind === 'text') text += delta;
    }
    return spoken;
  };
  try {
    for await (const part of parts) {
      switch (part.type) {
        case 'text-delta':
          yield* heard(filter.push(part.delta));
          break;
        case 'reasoning-delta':
          yield* heard([{ kind: 'reasoning', delta: part.delta }]);
          break;
        case 'tool-call':
          calls.push({ id: part.toolCallId, name: part.toolName, argumentsJson: part.input });
          all += part.toolName + part.input;
          break;
        case 'error': {
          const failure = failureInStream(part.error);
          onFailure(failure);
          return yield failedBy(failure, estimatedUsage(request, all));
        }
        case 'finish': {
          yield* heard(filter.end());
          const usage = usageOf(part, estimatedUsage(request, all));
          return yield* ending(part, text, calls, usage);
        }
        default:
          // Starts and ends of blocks, metadata, and tool input in pieces: the whole call comes later.
          break;
      }
    }
  } catch (thrown) {
    const failure = failureOf(thrown, true);
    onFailure(failure);
    yield failedBy(failure, estimatedUsage(request, all));
  }
}

function* ending(
  part: Finish,
  text: string,
  calls: readonly ToolCall[],
  usage: Usage,
): Generator<LlmEvent, void, undefined> {
  const finish = finishOf(part, calls);
  if (finish === undefined) {
    return yield failed('unavailable', 'The model broke off in the middle of its answer. Try again.', {
      usage,
    });
  }
  if (finish === 'stop' && text.trim() === '') {
    return yield failed('unavailable', 'The model gave an empty answer. Try again.', { usage });
  }
  if (finish === 'tool_calls') for (const call of calls) yield { kind: 'tool_call', call };
  yield { kind: 'done', finish, usage };
}

/** @returns undefined when the answer did not end by itself */
function finishOf(part: Finish, calls: readonly ToolCall[]): FinishReason | undefined {
  switch (part.finishReason.unified) {
    case 'stop':
    case 'tool-calls':
    case 'other':
      // Servers mix these up: what counts is whether whole calls arrived.
      if (calls.length > 0) return 'tool_calls';
      return part.finishReason.unified === 'other' ? 'other' : 'stop';
    case 'length':
      return 'length';
    case 'content-filter':
      return 'filtered';
    default:
      return undefined;
  }
}

/** There is no answer without a prompt: a server that counts nothing, or zero, does not count, and a budget must not be blind to it. */
function usageOf(part: Finish, estimate: Usage): Usage {
  const { inputTokens, outputTokens } = part.usage;
  return {
    inputTokens: inputTokens.total || estimate.inputTokens,
    outputTokens: outputTokens.total || estimate.outputTokens,
    cachedTokens: inputTokens.cacheRead ?? 0,
  };
}
