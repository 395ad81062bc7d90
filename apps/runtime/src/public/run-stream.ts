import type { StreamFrame } from '../stream/run-stream.ts';

/** A comment line: keeps proxies from closing a silent stream, and every client ignores it. */
const HEARTBEAT = ': still here\n\n';

/** One frame as bytes of the event stream. JSON has no raw line breaks, so one `data` line is enough. */
export function formatFrame(frame: StreamFrame): string {
  if (frame.kind === 'heartbeat') return HEARTBEAT;
  const id = frame.id === undefined ? '' : `id: ${frame.id}\n`;
  return `${id}event: ${frame.event.type}\ndata: ${JSON.stringify(frame.event)}\n\n`;
}

/**
 * An event stream that asks for the next frame only when the last one was taken, so that a slow reader costs no memory.
 * @param end ends the stream at once, also for a reader that takes nothing
 * @param onClose called when the stream has ended or the reader went away
 */
export function streamAnswer(
  frames: AsyncGenerator<StreamFrame, void>,
  end: AbortSignal,
  onClose: () => void,
): Response {
  const encoder = new TextEncoder();
  let isClosed = false;
  const close = (controller: ReadableStreamDefaultController): void => {
    if (isClosed) return;
    isClosed = true;
    onClose();
    controller.close();
  };
  const body = new ReadableStream<Uint8Array>(
    {
      start(controller) {
        end.addEventListener('abort', () => close(controller), { once: true });
      },
      async pull(controller) {
        // What breaks here shows in every other request too; the reader resumes.
        const next = await frames.next().catch(() => undefined);
        if (isClosed) return;
        if (next === undefined || next.done) close(controller);
        else controller.enqueue(encoder.encode(formatFrame(next.value)));
      },
      async cancel() {
        isClosed = true;
        onClose();
        await frames.return();
      },
    },
    { highWaterMark: 1 },
  );
  return new Response(body, {
    headers: { 'Content-Type': 'text/event-stream; charset=utf-8', 'X-Accel-Buffering': 'no' },
  });
}
