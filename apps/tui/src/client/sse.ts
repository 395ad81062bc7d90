import type { StreamEvent } from './client.ts';

/**
 * Server-sent events out of a byte stream; comments, ids and retry fields are dropped.
 * Source: https://html.spec.whatwg.org/multipage/server-sent-events.html
 */
export async function* readEvents(bytes: AsyncIterable<Uint8Array>): AsyncIterable<StreamEvent> {
  const decoder = new TextDecoder();
  let buffer = '';
  for await (const chunk of bytes) {
    buffer += decoder.decode(chunk, { stream: true });
    for (let end = boundary(buffer); end !== undefined; end = boundary(buffer)) {
      const event = parseFrame(buffer.slice(0, end.at));
      buffer = buffer.slice(end.at + end.size);
      if (event !== undefined) yield event;
    }
  }
}

/** The first empty line, by any of the line ends that the format allows. */
function boundary(buffer: string): { readonly at: number; readonly size: number } | undefined {
  const match = /\r\n\r\n|\n\n|\r\r/.exec(buffer);
  return match === null ? undefined : { at: match.index, size: match[0].length };
}

function parseFrame(frame: string): StreamEvent | undefined {
  let event = 'message';
  const data: string[] = [];
  for (const line of frame.split(/\r\n|\n|\r/)) {
    const colon = line.indexOf(':');
    const field = colon < 0 ? line : line.slice(0, colon);
    const value = colon < 0 ? '' : line.slice(colon + 1).replace(/^ /, '');
    if (field === 'event') event = value;
    if (field === 'data') data.push(value);
  }
  return data.length === 0 ? undefined : { event, data: data.join('\n') };
}
