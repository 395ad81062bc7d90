import type { Clock, LlmEvent, LlmProvider, LlmRequest } from '@agent-runtime/domain';
import { estimatedUsage, type LlmSource, sealed } from '../stream.ts';
import type { Script, ScriptedCall } from './script.ts';

export interface ScriptedProvider extends LlmProvider {
  /** Every request so far, oldest first. */
  readonly requests: readonly LlmRequest[];
  /** Calls that have not ended. */
  readonly running: number;
}

/**
 * @param options.id    provider id, `scripted` unless said
 * @param options.clock needed by scripts that wait
 */
export function scriptedProvider(options: {
  readonly script: Script;
  readonly id?: string | undefined;
  readonly clock?: Clock | undefined;
}): ScriptedProvider {
  const requests: LlmRequest[] = [];
  let running = 0;
  return {
    id: options.id ?? 'scripted',
    requests,
    get running() {
      return running;
    },
    stream: (request, signal) => {
      const index = requests.length;
      requests.push(request);
      running += 1;
      const source: LlmSource = (own) => play(options.script, { request, index, signal: own }, options.clock);
      return counted(
        sealed(source, signal, (heard) => estimatedUsage(request, heard)),
        () => {
          running -= 1;
        },
      );
    },
  };
}

async function* counted(
  events: AsyncIterable<LlmEvent>,
  onEnd: () => void,
): AsyncGenerator<LlmEvent, void, undefined> {
  try {
    yield* events;
  } finally {
    onEnd();
  }
}

async function* play(
  script: Script,
  call: ScriptedCall,
  clock: Clock | undefined,
): AsyncGenerator<LlmEvent, void, undefined> {
  let heard = '';
  let calls = 0;
  for await (const move of script(call)) {
    switch (move.kind) {
      case 'wait':
        if (clock === undefined) throw new Error('a script that waits needs a clock');
        await clock.sleep(move.ms, call.signal);
        break;
      case 'hold':
        await move.until;
        break;
      case 'hang':
        await new Promise(() => {});
        break;
      default:
        if (move.kind === 'text') heard += move.delta;
        if (move.kind === 'tool_call') calls += 1;
        yield move;
    }
  }
  const usage = estimatedUsage(call.request, heard);
  yield { kind: 'done', finish: calls > 0 ? 'tool_calls' : 'stop', usage };
}
