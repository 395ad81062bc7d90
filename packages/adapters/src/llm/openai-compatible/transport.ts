import type { Agent, Response } from 'undici';
import { DEFAULT_MAX_BYTES, DEFAULT_TIMEOUTS, type OpenAiCompatibleOptions } from './options.ts';

/** The part of `fetch` that the SDK uses. */
export type Fetch = typeof globalThis.fetch;

/** An answer that did not stop. */
export class TooLong extends Error {
  readonly maxBytes: number;
  constructor(maxBytes: number) {
    super(`more than ${maxBytes} bytes`);
    this.name = 'TooLong';
    this.maxBytes = maxBytes;
  }
}

/**
 * A `fetch` with its own timeouts and a cap on bytes. It follows no redirect, for that would hand the prompt to another host.
 * undici is loaded at the first call; connections are kept and shared between calls.
 */
export function makeFetch(options: Pick<OpenAiCompatibleOptions, 'timeouts' | 'maxBytes'>): Fetch {
  const timeouts = { ...DEFAULT_TIMEOUTS, ...options.timeouts };
  const maxBytes = options.maxBytes ?? DEFAULT_MAX_BYTES;
  let loading: Promise<{ readonly fetch: typeof import('undici').fetch; readonly agent: Agent }> | undefined;
  const load = async (): Promise<{
    readonly fetch: typeof import('undici').fetch;
    readonly agent: Agent;
  }> => {
    const { Agent, fetch } = await import('undici');
    const agent = new Agent({
      connect: { timeout: timeouts.connectMs },
      headersTimeout: timeouts.firstByteMs,
      bodyTimeout: timeouts.silenceMs,
      // One slow answer must not hold back the next request on the same line.
      pipelining: 1,
    });
    return { fetch, agent };
  };
  return async (input, init) => {
    loading ??= load();
    const { fetch, agent } = await loading;
    const response = await fetch(String(input), {
      method: init?.method ?? 'POST',
      headers: Object.fromEntries(new Headers(init?.headers)),
      body: typeof init?.body === 'string' ? init.body : null,
      signal: init?.signal ?? null,
      redirect: 'manual',
      dispatcher: agent,
    });
    return capped(response, maxBytes);
  };
}

function capped(response: Response, maxBytes: number): globalThis.Response {
  let bytes = 0;
  const counter = new TransformStream<Uint8Array, Uint8Array>({
    transform: (chunk, controller) => {
      bytes += chunk.byteLength;
      if (bytes > maxBytes) controller.error(new TooLong(maxBytes));
      else controller.enqueue(chunk);
    },
  });
  const hasBody = response.body !== null && ![204, 205, 304].includes(response.status);
  // safe: undici's stream is the platform's own class.
  const body = hasBody ? (response.body as ReadableStream<Uint8Array>).pipeThrough(counter) : null;
  return new globalThis.Response(body, {
    status: response.status,
    headers: Object.fromEntries(response.headers),
  });
}
