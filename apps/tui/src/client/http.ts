import { type IncomingMessage, request } from 'node:http';
import { AppError } from '@agent-runtime/domain';

/** One request over the unix socket. */
export interface SocketRequest {
  readonly socketPath: string;
  readonly method: string;
  /** Path and query. */
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
  /** UTF-8, or empty. */
  readonly body: string;
  readonly signal?: AbortSignal | undefined;
}

/** Status and body once the headers are there. @throws AppError tui.runtime.unavailable · tui.request.cancelled */
export function open(input: SocketRequest): Promise<IncomingMessage> {
  const bytes = Buffer.from(input.body, 'utf8');
  return new Promise((resolve, reject) => {
    const outgoing = request(
      {
        socketPath: input.socketPath,
        method: input.method,
        path: input.path,
        headers: {
          ...input.headers,
          'content-length': String(bytes.length),
          ...(bytes.length > 0 ? { 'content-type': 'application/json' } : {}),
        },
        agent: false,
        ...(input.signal === undefined ? {} : { signal: input.signal }),
      },
      resolve,
    );
    outgoing.once('error', (cause) => reject(lineFault(cause, input.signal)));
    outgoing.end(bytes);
  });
}

/** The whole body as text. */
export async function readAll(response: IncomingMessage): Promise<string> {
  const parts: Buffer[] = [];
  try {
    for await (const part of response) parts.push(Buffer.from(part));
  } catch (cause) {
    throw lineFault(cause, undefined);
  }
  return Buffer.concat(parts).toString('utf8');
}

/** What an error of the line means: we stopped, or the other side is gone. */
export function lineFault(cause: unknown, signal: AbortSignal | undefined): AppError {
  if (cause instanceof AppError) return cause;
  return signal?.aborted === true ? stopped() : noRuntime(cause);
}

/** Nobody listens: the most common trouble of a beginner, so it says exactly what to do. */
function noRuntime(cause: unknown): AppError {
  return new AppError({
    code: 'tui.runtime.unavailable',
    kind: 'unavailable',
    message: 'No runtime is running for this data folder. Start it with: npm start',
    cause,
  });
}

function stopped(): AppError {
  return new AppError({ code: 'tui.request.cancelled', kind: 'cancelled', message: 'Stopped.' });
}
