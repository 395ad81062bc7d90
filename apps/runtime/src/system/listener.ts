import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { AppError } from '@agent-runtime/domain';
import { getRequestListener } from '@hono/node-server';
import type { Listen } from '../config.ts';

export interface Listener {
  /** With the port that the system chose when 0 was asked for, e.g. `http://127.0.0.1:8080`. */
  readonly url: string;
  /** Takes no new connection, lets answers end until the deadline, then cuts them. */
  close(deadlineMs: number): Promise<void>;
}

/** Generous for people, short for those who send one byte a minute. */
const REQUEST_TIMEOUT_MS = 30_000;
const HEADERS_TIMEOUT_MS = 10_000;
const MAX_HEADER_BYTES = 16 * 1024;
const MAX_CONNECTIONS = 2_000;

/**
 * Serves an app on TCP.
 * @param variable name of the configuration, for the message
 * @throws AppError runtime.listen.conflict (taken) · runtime.listen.unavailable
 */
export async function serveHttp(
  fetch: (request: Request) => Response | Promise<Response>,
  listen: Listen,
  variable: string,
): Promise<Listener> {
  const server = createServer(
    {
      requestTimeout: REQUEST_TIMEOUT_MS,
      headersTimeout: HEADERS_TIMEOUT_MS,
      maxHeaderSize: MAX_HEADER_BYTES,
    },
    getRequestListener((request) => fetch(request), {
      overrideGlobalObjects: false,
      // A request that is no request (a broken host, a broken address): no answer of ours has words for it.
      errorHandler: () => new Response(null, { status: 400 }),
    }),
  );
  server.maxConnections = MAX_CONNECTIONS;
  await new Promise<void>((resolve, reject) => {
    server.once('error', (cause: NodeJS.ErrnoException) => reject(cannotListen(listen, variable, cause)));
    server.listen(listen.port, listen.host, () => resolve());
  });
  const { port } = server.address() as AddressInfo; // safe: it listens on TCP
  const host = listen.host.includes(':') ? `[${listen.host}]` : listen.host;
  return {
    url: `http://${host}:${port}`,
    close: (deadlineMs) =>
      new Promise((resolve) => {
        const cut = setTimeout(() => server.closeAllConnections(), deadlineMs);
        server.close(() => {
          clearTimeout(cut);
          resolve();
        });
        server.closeIdleConnections();
      }),
  };
}

function cannotListen(listen: Listen, variable: string, cause: NodeJS.ErrnoException): AppError {
  const place = `${listen.host}:${listen.port}`;
  if (cause.code === 'EADDRINUSE') {
    return new AppError({
      code: 'runtime.listen.conflict',
      kind: 'conflict',
      message: `Something already listens on ${place}. Stop it, or set ${variable} to another address, e.g. 127.0.0.1:8081.`,
      cause,
    });
  }
  return new AppError({
    code: 'runtime.listen.unavailable',
    kind: 'unavailable',
    message: `Cannot listen on ${place}. Set ${variable} to an address of this machine.`,
    cause,
  });
}
