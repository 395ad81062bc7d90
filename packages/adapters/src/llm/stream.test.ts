import type { LlmEvent } from '@agent-runtime/domain';
import { expect, test } from 'vitest';
import { failed, NO_USAGE, sealed } from './stream.ts';

const done: LlmEvent = { kind: 'done', finish: 'stop', usage: NO_USAGE };

async function read(
  source: () => AsyncIterable<LlmEvent>,
  signal = new AbortController().signal,
): Promise<readonly string[]> {
  const kinds: string[] = [];
  for await (const event of sealed(source, signal))
    kinds.push(event.kind === 'failed' ? event.error.code : event.kind);
  return kinds;
}

test('aborted before it began, the source is never started', async () => {
  let isStarted = false;
  const source = async function* (): AsyncGenerator<LlmEvent> {
    isStarted = true;
    yield done;
  };
  expect(await read(source, AbortSignal.abort())).toEqual(['llm.call.cancelled']);
  expect(isStarted).toBe(false);
});

test('the source is told when nobody listens any more', async () => {
  let own: AbortSignal | undefined;
  const events = sealed(async function* (signal): AsyncGenerator<LlmEvent> {
    own = signal;
    yield { kind: 'text', delta: 'a' };
    yield done;
  }, new AbortController().signal);
  for await (const _event of events) break;
  expect(own?.aborted).toBe(true);
});

test('a source that ends without an end, or goes on after it, is put right', async () => {
  const short = async function* (): AsyncGenerator<LlmEvent> {
    yield { kind: 'text', delta: 'a' };
  };
  const long = async function* (): AsyncGenerator<LlmEvent> {
    yield failed('unavailable', 'down');
    yield done;
  };
  expect(await read(short)).toEqual(['text', 'llm.call.unavailable']);
  expect(await read(long)).toEqual(['llm.call.unavailable']);
});

test('a source that cannot even be started is a bug, told without its words', async () => {
  const broken = (): AsyncIterable<LlmEvent> => {
    throw new Error('inner words');
  };
  expect(await read(broken)).toEqual(['llm.call.bug']);
});
