import { constants } from 'node:crypto';
import { createServer, type Server } from 'node:http';
import { createServer as createTlsServer, type Server as TlsServer } from 'node:https';
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
/** Whoever opens a connection and says nothing holds a place for this long. */
const HANDSHAKE_TIMEOUT_MS = 10_000;
const MAX_HEADER_BYTES = 16 * 1024;
const MAX_CONNECTIONS = 2_000;

const LIMITS = {
  requestTimeout: REQUEST_TIMEOUT_MS,
  headersTimeout: HEADERS_TIMEOUT_MS,
  maxHeaderSize: MAX_HEADER_BYTES,
};

type Fetch = (request: Request, env: object) => Response | Promise<Response>;

/** Who the listener is, and whose clients it lets in. */
export interface TlsOptions {
  readonly certPem: string;
  readonly keyPem: string;
  /** CAs of client certificates, one PEM text. */
  readonly clientCaPem: string;
}

export interface TlsListener extends Listener {
  /** New connections meet the new identity and the new CAs; open ones stay, each request is judged by itself. */
  change(tls: TlsOptions): void;
}

/**
 * Serves an app on TCP.
 * @param variable name of the configuration, for the message
 * @throws AppError runtime.listen.conflict (taken) · runtime.listen.unavailable
 */
export function serveHttp(fetch: Fetch, listen: Listen, variable: string): Promise<Listener> {
  return start(createServer(LIMITS, listenerOf(fetch)), listen, { variable, scheme: 'http' });
}

/**
 * Serves an app on TLS 1.3 to clients that show a certificate of one of our CAs; others get no further than the handshake.
 * @throws AppError runtime.listen.conflict (taken) · runtime.listen.unavailable
 */
export async function serveTls(
  fetch: Fetch,
  tls: TlsOptions,
  listen: Listen,
  variable: string,
): Promise<TlsListener> {
  const server = createTlsServer(
    {
      ...LIMITS,
      ...contextOf(tls),
      requestCert: true,
      rejectUnauthorized: true,
      handshakeTimeout: HANDSHAKE_TIMEOUT_MS,
    },
    listenerOf(fetch),
  );
  const listener = await start(server, listen, { variable, scheme: 'https' });
  return { ...listener, change: (next) => server.setSecureContext(contextOf(next)) };
}

function contextOf({ certPem, keyPem, clientCaPem }: TlsOptions) {
  return {
    cert: certPem,
    key: keyPem,
    ca: clientCaPem,
    minVersion: 'TLSv1.3',
    // A resumed session would skip the handshake's own check after a CA was taken away.
    secureOptions: constants.SSL_OP_NO_TICKET,
  } as const;
}

function listenerOf(fetch: Fetch): ReturnType<typeof getRequestListener> {
  return getRequestListener((request, env) => fetch(request, env), {
    overrideGlobalObjects: false,
    // A request that is no request (a broken host, a broken address): no answer of ours has words for it.
    errorHandler: () => new Response(null, { status: 400 }),
  });
}

async function start(
  server: Server | TlsServer,
  listen: Listen,
  { variable, scheme }: { readonly variable: string; readonly scheme: string },
): Promise<Listener> {
  server.maxConnections = MAX_CONNECTIONS;
  await new Promise<void>((resolve, reject) => {
    server.once('error', (cause: NodeJS.ErrnoException) => reject(cannotListen(listen, variable, cause)));
    server.listen(listen.port, listen.host, () => resolve());
  });
  const { port } = server.address() as AddressInfo; // safe: it listens on TCP
  const host = listen.host.includes(':') ? `[${listen.host}]` : listen.host;
  return {
    url: `${scheme}://${host}:${port}`,
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
