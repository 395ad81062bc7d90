import fc from 'fast-check';
import { expect, test } from 'vitest';
import { readEvents } from './sse.ts';

async function read(parts: readonly Uint8Array[]): Promise<unknown[]> {
  const events: unknown[] = [];
  const bytes = (async function* () {
    yield* parts;
  })();
  for await (const event of readEvents(bytes)) events.push(event);
  return events;
}

const TEXT =
  ': hello\n\nevent: text\nid: 4\ndata: {"a":"ü😀"}\n\ndata: one\ndata: two\r\n\r\nevent: end\ndata:x\n\n';
const EVENTS = [
  { event: 'text', data: '{"a":"ü😀"}' },
  { event: 'message', data: 'one\ntwo' },
  { event: 'end', data: 'x' },
];

test('property: events are the same however the bytes are cut', async () => {
  const bytes = new TextEncoder().encode(TEXT);
  await fc.assert(
    fc.asyncProperty(fc.array(fc.integer({ min: 0, max: bytes.length }), { maxLength: 6 }), async (cuts) => {
      const at = [0, ...cuts.sort((a, b) => a - b), bytes.length];
      const parts = at.slice(1).map((end, i) => bytes.subarray(at[i], end));
      expect(await read(parts)).toEqual(EVENTS);
    }),
  );
});

test('an event that was cut off is none', async () => {
  expect(await read([new TextEncoder().encode('data: whole\n\ndata: half')])).toEqual([
    { event: 'message', data: 'whole' },
  ]);
});
