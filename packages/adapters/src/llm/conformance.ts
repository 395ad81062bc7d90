import type { ErrorKind, FinishReason, LlmEvent, LlmProvider, LlmRequest } from '@agent-runtime/domain';
import { describe, expect, test } from 'vitest';

/** A provider brought into one situation, and what must come of it. */
export interface LlmSituation {
  readonly name: string;
  /** Made anew for each test. */
  readonly provider: () => LlmProvider | Promise<LlmProvider>;
  readonly request?: Partial<LlmRequest> | undefined;
  /** Waits for a timeout of a library: looked at once only. */
  readonly isSlow?: boolean | undefined;
  readonly expect: {
    readonly finish?: FinishReason | undefined;
    readonly failed?: ErrorKind | undefined;
    /** The whole text. */
    readonly text?: string | RegExp | undefined;
    /** Names of the tools called, in order. */
    readonly tools?: readonly string[] | undefined;
    /** Something that must stand in the reasoning and not in the text. */
    readonly reasoning?: string | undefined;
  };
}

export interface LlmHarness {
  readonly situations: readonly LlmSituation[];
  /** A provider that never ends its answer by itself; `undefined` when it cannot hang. */
  readonly hanging?: (() => LlmProvider | Promise<LlmProvider>) | undefined;
  /** Values that no event may hold. */
  readonly secrets?: readonly string[] | undefined;
  /** Calls that are still open outside, when that can be known. */
  readonly open?: (() => number) | undefined;
}

const BASE: LlmRequest = {
  model: 'test-model',
  messages: [
    { role: 'system', text: 'Be brief.' },
    { role: 'user', text: 'How do I get a refund?' },
  ],
  tools: [{ name: 'qmd_search', description: 'Search.', schema: { type: 'object', properties: {} } }],
  maxOutputTokens: 500,
  idempotencyKey: 'call-1',
};

/** Reads a call to its end. */
export async function collect(
  provider: LlmProvider,
  request: Partial<LlmRequest> = {},
  signal: AbortSignal = new AbortController().signal,
): Promise<readonly LlmEvent[]> {
  const events: LlmEvent[] = [];
  for await (const event of provider.stream({ ...BASE, ...request }, signal)) events.push(event);
  return events;
}

export function textOf(events: readonly LlmEvent[], kind: 'text' | 'reasoning' = 'text'): string {
  return events.map((event) => (event.kind === kind ? event.delta : '')).join('');
}

/** The promise of the port, for every provider. */
export function llmConformance(name: string, harness: LlmHarness): void {
  const quick = harness.situations.filter(({ isSlow }) => isSlow !== true);
  describe(`llm ${name}`, () => {
    for (const situation of harness.situations) {
      test(situation.name, async () => {
        const events = await collect(await situation.provider(), situation.request);
        expectPromise(events, harness);
        expectOutcome(events, situation);
      });
    }

    test('two calls at once do not mix, and both end', async () => {
      for (const situation of quick.slice(0, 2)) {
        const provider = await situation.provider();
        const single = shapeOf(await collect(await situation.provider(), situation.request));
        const both = await Promise.all([
          collect(provider, situation.request),
          collect(await situation.provider(), situation.request),
        ]);
        for (const events of both) expect(shapeOf(events)).toEqual(single);
      }
    });

    test('the request stays as it was', async () => {
      for (const situation of quick) {
        const request = deepFrozen({ ...BASE, ...situation.request });
        const before = JSON.stringify(request);
        expectPromise(await collect(await situation.provider(), request), harness);
        expect(JSON.stringify(request)).toBe(before);
      }
    });

    test('aborted before it began, it says only that it was cancelled', async () => {
      for (const situation of quick) {
        const events = await collect(await situation.provider(), situation.request, AbortSignal.abort());
        expect(events).toHaveLength(1);
        expect(events[0]).toMatchObject({ kind: 'failed', error: { kind: 'cancelled' } });
      }
    });

    const { hanging } = harness;
    if (hanging !== undefined) {
      test('aborted in the middle, it ends at once as cancelled', async () => {
        const control = new AbortController();
        const reading = collect(await hanging(), {}, control.signal);
        setTimeout(() => control.abort(), 20);
        const events = await reading;
        expect(events.at(-1)).toMatchObject({ kind: 'failed', error: { kind: 'cancelled' } });
        expectPromise(events, harness);
        await expectClosed(harness);
      });
    }

    test('a listener may leave after the first event', async () => {
      for (const situation of quick) {
        const provider = await situation.provider();
        for await (const _event of provider.stream(
          { ...BASE, ...situation.request },
          new AbortController().signal,
        ))
          break;
      }
      await expectClosed(harness);
    });
  });
}

function expectPromise(events: readonly LlmEvent[], harness: LlmHarness): void {
  const last = events.filter((event) => event.kind === 'done' || event.kind === 'failed');
  expect(last, 'exactly one end').toHaveLength(1);
  expect(events.at(-1), 'the end comes last').toBe(last[0]);
  const ids = events.flatMap((event) => (event.kind === 'tool_call' ? [event.call.id] : []));
  expect(new Set(ids).size, 'ids of tool calls are unique').toBe(ids.length);
  expect(ids.every((id) => id !== '')).toBe(true);
  for (const event of events) {
    if (event.kind === 'done') {
      for (const count of Object.values(event.usage)) expect(Number.isFinite(count)).toBe(true);
      expect(event.finish === 'tool_calls').toBe(ids.length > 0);
    }
    if (event.kind === 'failed') {
      expect(event.error.code).toMatch(new RegExp(`^[a-z_]+\\.[a-z_]+\\.${event.error.kind}$`));
      expect(event.error.message.length).toBeGreaterThan(10);
      expect(ids, 'no tool call of an answer that failed').toEqual([]);
    }
  }
  for (const secret of harness.secrets ?? []) expect(JSON.stringify(events)).not.toContain(secret);
}

function expectOutcome(events: readonly LlmEvent[], situation: LlmSituation): void {
  const { finish, failed, text, tools, reasoning } = situation.expect;
  const last = events.at(-1);
  if (finish !== undefined) expect(last).toMatchObject({ kind: 'done', finish });
  if (failed !== undefined) expect(last).toMatchObject({ kind: 'failed', error: { kind: failed } });
  if (typeof text === 'string') expect(textOf(events)).toBe(text);
  else if (text !== undefined) expect(textOf(events)).toMatch(text);
  if (tools !== undefined) expect(toolNames(events)).toEqual(tools);
  if (reasoning !== undefined) {
    expect(textOf(events, 'reasoning')).toContain(reasoning);
    expect(textOf(events)).not.toContain(reasoning);
  }
}

function toolNames(events: readonly LlmEvent[]): readonly string[] {
  return events.flatMap((event) => (event.kind === 'tool_call' ? [event.call.name] : []));
}

function shapeOf(events: readonly LlmEvent[]): object {
  const last = events.at(-1);
  return { text: textOf(events), tools: toolNames(events), end: last?.kind };
}

function deepFrozen<T>(value: T): T {
  if (typeof value !== 'object' || value === null) return value;
  for (const member of Object.values(value)) deepFrozen(member);
  return Object.freeze(value);
}

/** Closing a line takes the network a moment. */
async function expectClosed(harness: LlmHarness): Promise<void> {
  if (harness.open === undefined) return;
  for (let tries = 0; tries < 500 && harness.open() > 0; tries += 1)
    await new Promise((resolve) => setTimeout(resolve, 2));
  expect(harness.open()).toBe(0);
}
