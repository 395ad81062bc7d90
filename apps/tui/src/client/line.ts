import { type IncomingMessage, type RequestOptions, request } from 'node:http';
import { Agent, request as tlsRequest } from 'node:https';
import { AppError } from '@agent-runtime/domain';
import type { CaCert } from '@agent-runtime/pki/certificate';

/** One request on its way. */
export interface LineRequest {
  readonly method: string;
  /** Path and query. */
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
  /** UTF-8, or empty. */
  readonly body: string;
  readonly signal?: AbortSignal | undefined;
}

/** How requests reach a runtime. */
export interface Line {
  /** Status and body once the headers are there. @throws AppError of `fault` */
  open(input: LineRequest): Promise<IncomingMessage>;
  /** What an error of the line means: we stopped, the other side is gone, or it is not who it should be. */
  fault(cause: unknown, signal: AbortSignal | undefined): AppError;
}

/** The unix socket of a data folder on this machine. */
export function socketLine(socketPath: string): Line {
  const fault = (cause: unknown, signal: AbortSignal | undefined): AppError =>
    known(cause, signal) ?? noRuntime(cause);
  return {
    fault,
    open: (input) => send((options) => request({ ...options, socketPath, agent: false }), input, fault),
  };
}

/** A plain address: only for enrolment, whose answer is proved by the invite's code and not by the connection. */
export function plainLine(url: URL): Line {
  const fault = (cause: unknown, signal: AbortSignal | undefined): AppError =>
    known(cause, signal) ?? noAnswer(url, cause);
  const start = url.protocol === 'https:' ? tlsRequest : request;
  return { fault, open: (input) => send((options) => start(url.origin, options), input, fault) };
}

export interface TlsLineInput {
  /** https address of the admin API. */
  readonly url: URL;
  readonly certificatePem: string;
  readonly keyPem: string;
  /** The pinned CAs. */
  readonly roots: readonly CaCert[];
  /** @throws AppError when the certificate that the server showed is not one of ours for that host */
  readonly checkServer: (certDer: Uint8Array, host: string) => void;
}

/** TLS with our certificate, to a server whose certificate is of the CA that we enrolled with and of the exact form. */
export function tlsLine(input: TlsLineInput): Line {
  const { url, certificatePem, keyPem, roots } = input;
  const agent = new Agent({
    keepAlive: true,
    cert: certificatePem,
    key: keyPem,
    ca: roots.map((root) => root.pem),
    minVersion: 'TLSv1.3',
    // Runs before the first byte of a request leaves. The chain was checked by then; this looks at every byte.
    checkServerIdentity: (host, certificate) => {
      try {
        input.checkServer(new Uint8Array(certificate.raw), host);
        return undefined;
      } catch (thrown) {
        return thrown instanceof Error ? thrown : new Error('The certificate of the server is refused.');
      }
    },
  });
  const fault = (cause: unknown, signal: AbortSignal | undefined): AppError =>
    isRefusal(cause) ? stranger(url, cause) : (known(cause, signal) ?? tlsFault(url, cause));
  return {
    fault,
    open: (input) => send((options) => tlsRequest(url.origin, { ...options, agent }), input, fault),
  };
}

/** The whole body as text. @throws AppError of the line */
export async function readAll(line: Line, response: IncomingMessage): Promise<string> {
  const parts: Buffer[] = [];
  try {
    for await (const part of response) parts.push(Buffer.from(part));
  } catch (cause) {
    throw line.fault(cause, undefined);
  }
  return Buffer.concat(parts).toString('utf8');
}

function send(
  start: (options: RequestOptions) => ReturnType<typeof request>,
  input: LineRequest,
  fault: Line['fault'],
): Promise<IncomingMessage> {
  const bytes = Buffer.from(input.body, 'utf8');
  return new Promise((resolve, reject) => {
    const outgoing = start({
      method: input.method,
      path: input.path,
      headers: {
        ...input.headers,
        'content-length': String(bytes.length),
        ...(bytes.length > 0 ? { 'content-type': 'application/json' } : {}),
      },
      ...(input.signal === undefined ? {} : { signal: input.signal }),
    });
    outgoing.once('response', resolve);
    outgoing.once('error', (cause) => reject(fault(cause, input.signal)));
    outgoing.end(bytes);
  });
}

function known(cause: unknown, signal: AbortSignal | undefined): AppError | undefined {
  if (cause instanceof AppError) return cause;
  if (signal?.aborted !== true) return undefined;
  return new AppError({ code: 'tui.request.cancelled', kind: 'cancelled', message: 'Stopped.' });
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

function noAnswer(url: URL, cause: unknown): AppError {
  return new AppError({
    code: 'tui.runtime.unavailable',
    kind: 'unavailable',
    message: `Nobody answers at ${url.origin}. Check the address, and whether the runtime is up.`,
    cause,
  });
}

/** A handshake fails in two ways: they are not who they should be, or we are not for them. */
function tlsFault(url: URL, cause: unknown): AppError {
  const code = cause instanceof Error && 'code' in cause ? String(cause.code) : '';
  if (/ALERT/.test(code)) {
    return new AppError({
      code: 'tui.certificate.unauthenticated',
      kind: 'unauthenticated',
      message: `${url.origin} does not take the certificate of this machine: it is over, or its CA is gone. Enrol again: agent-runtime enrol --url U --invite CODE.`,
      cause,
    });
  }
  if (/CERT|SELF_SIGNED|ISSUER|ALTNAME|VERIFY|PURPOSE|WRONG_VERSION/.test(code)) return stranger(url, cause);
  // In TLS 1.3 a server says no to a client's certificate when the client already writes; some only hang up.
  if (code === 'ECONNRESET') {
    return new AppError({
      code: 'tui.runtime.unavailable',
      kind: 'unavailable',
      message: `${url.origin} hung up. Try again; if it stays so, it does not take the certificate of this machine any more: enrol again (agent-runtime enrol --url U --invite CODE).`,
      cause,
    });
  }
  return noAnswer(url, cause);
}

/** Our own look at the certificate of the server said no. */
function isRefusal(cause: unknown): boolean {
  return cause instanceof AppError && cause.code === 'certificate.server.unauthenticated';
}

function stranger(url: URL, cause: unknown): AppError {
  return new AppError({
    code: 'tui.server.unauthenticated',
    kind: 'unauthenticated',
    message: `The server at ${url.origin} is not the one that this machine enrolled with. Do not go on; check the address, and ask the host.`,
    cause,
  });
}
