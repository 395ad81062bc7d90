import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { readParams } from './body.ts';
import type { Desk, Reply } from './desk.ts';
import { Refusal } from './refusal.ts';

/** Who answers, and for which token. */
interface Site {
  readonly desk: Desk;
  readonly token: string;
}

/** Opens the door on 127.0.0.1. @param port 0: any free one */
export async function listen(
  port: number,
  site: Site,
): Promise<{ readonly server: ReturnType<typeof createServer>; readonly apiRoot: string }> {
  const server = createServer((message, response) => {
    serve(message, response, site).catch((error: unknown) => {
      if (response.destroyed) return;
      response.writeHead(500, { 'content-type': 'text/plain' });
      response.end(`The emulator failed: ${error instanceof Error ? error.stack : String(error)}`);
    });
  });
  server.listen(port, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address() as AddressInfo; // safe: it listens on TCP
  return { server, apiRoot: `http://127.0.0.1:${address.port}` };
}

async function serve(message: IncomingMessage, response: ServerResponse, site: Site): Promise<void> {
  const url = new URL(message.url ?? '/', 'http://emulator');
  const found = /^\/(file\/)?bot([^/]+)\/(.+)$/.exec(url.pathname.replace('%3A', ':'));
  if (found === null) return void write(response, site.desk.refuse(new Refusal(404, 'Not Found')));
  const [, file, token, rest = ''] = found;
  if (token !== site.token) {
    message.resume();
    return void write(response, site.desk.refuse(new Refusal(401, 'Unauthorized')));
  }
  if (file !== undefined) return write(response, await site.desk.download(rest));
  const hungUp = new AbortController();
  response.on('close', () => {
    if (!response.writableFinished) hungUp.abort();
  });
  write(response, await answer(message, rest, url.searchParams, { site, signal: hungUp.signal }));
}

async function answer(
  message: IncomingMessage,
  method: string,
  query: URLSearchParams,
  { site, signal }: { readonly site: Site; readonly signal: AbortSignal },
): Promise<Reply> {
  try {
    return await site.desk.take(method, await readParams(message, query), signal);
  } catch (error) {
    // A body that cannot be read is no call yet.
    if (error instanceof Refusal) return site.desk.refuse(error);
    throw error;
  }
}

function write(response: ServerResponse, reply: Reply): void {
  if (response.destroyed) return;
  switch (reply.kind) {
    case 'hang':
      return;
    case 'drop':
      // A reset, not an end in good order: that is what a lost line looks like.
      response.socket?.resetAndDestroy();
      return;
    case 'page':
      response.writeHead(reply.status, { 'content-type': 'text/html' });
      return void response.end(`<html><body><h1>${reply.status} Bad Gateway</h1></body></html>`);
    case 'bytes':
      response.writeHead(200, {
        'content-type': 'application/octet-stream',
        'content-length': reply.bytes.length,
      });
      return void response.end(reply.bytes);
    case 'json':
      response.writeHead(reply.status, {
        'content-type': 'application/json',
        'content-length': Buffer.byteLength(reply.body),
        ...(reply.retryAfter === undefined ? {} : { 'retry-after': String(reply.retryAfter) }),
      });
      return void response.end(reply.body);
    default:
      reply satisfies never;
  }
}
