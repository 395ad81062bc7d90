import { once } from 'node:events';
import { createServer, type IncomingHttpHeaders, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { type LlmMove, type LlmReply, llm, type WireToolDelta } from './moves.ts';

/** A chat completion request as it came in. */
export interface RecordedRequest {
  readonly path: string;
  readonly headers: IncomingHttpHeaders;
  readonly body: RecordedBody;
}

/** The members that tests look at; everything else is there too. */
export interface RecordedBody {
  readonly model?: string;
  readonly stream?: boolean;
  readonly messages?: readonly RecordedMessage[];
  readonly tools?: readonly { readonly type: string; readonly function: Readonly<Record<string, unknown>> }[];
  readonly [member: string]: unknown;
}

export interface RecordedMessage {
  readonly role: string;
  readonly content?: unknown;
  readonly tool_calls?: readonly {
    readonly id: string;
    readonly function: { readonly name: string; readonly arguments: string };
  }[];
  readonly tool_call_id?: string;
}

/** What the server answers: a fixed list of moves, or a function of the request and its number (from 0). */
export type LlmAnswer = LlmReply | ((request: RecordedRequest, index: number) => LlmReply);

/** A server that speaks the streaming chat completions of the OpenAI protocol, and misbehaves when told to. */
export interface LlmServer {
  /** To be given as base URL, ends with `/v1`. */
  readonly baseUrl: string;
  readonly requests: readonly RecordedRequest[];
  /** Requests that are not answered to their end. */
  readonly open: number;
  /** Requests that wait in a `hold` or a `hang`: everything before it has been written. */
  readonly stalled: number;
  /** Answers of the next requests, in order; without any, every request gets the fallback. */
  next(...answers: readonly LlmAnswer[]): void;
  /** Drops the planned answers that nobody asked for. */
  forget(): void;
  /** What every request gets for which nothing else is planned. */
  setFallback(answer: LlmAnswer): void;
  /** Breaks all lines and stops. */
  close(): Promise<void>;
}

/** @returns a server on a free port of 127.0.0.1 */
export async function startLlmServer(options: { readonly fallback?: LlmAnswer } = {}): Promise<LlmServer> {
  const requests: RecordedRequest[] = [];
  const planned: LlmAnswer[] = [];
  let fallback: LlmAnswer = options.fallback ?? [...llm.text('Fine.'), ...llm.done()];
  let open = 0;
  let stalled = 0;
  const stall = async (over: Promise<unknown>): Promise<void> => {
    stalled += 1;
    await over.finally(() => {
      stalled -= 1;
    });
  };

  const handle = async (message: IncomingMessage, response: ServerResponse): Promise<void> => {
    const path = message.url ?? '';
    if (message.method === 'GET' && path.endsWith('/models')) {
      return void response.end(
        JSON.stringify({ object: 'list', data: [{ id: 'emulated', object: 'model' }] }),
      );
    }
    const request: RecordedRequest = { path, headers: message.headers, body: await bodyOf(message) };
    const answer = planned.shift() ?? fallback;
    const index = requests.push(request) - 1;
    await play(typeof answer === 'function' ? answer(request, index) : answer, { request, response, stall });
  };
  const server = createServer((message, response) => {
    open += 1;
    response.on('close', () => {
      open -= 1;
    });
    handle(message, response).catch((error: unknown) => response.destroy(error as Error)); // safe: only seen by the socket
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo; // safe: it listens on TCP

  return {
    baseUrl: `http://127.0.0.1:${port}/v1`,
    requests,
    get open() {
      return open;
    },
    get stalled() {
      return stalled;
    },
    next: (...answers) => void planned.push(...answers),
    forget: () => void planned.splice(0),
    setFallback: (answer) => {
      fallback = answer;
    },
    close: async () => {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

async function bodyOf(message: IncomingMessage): Promise<RecordedBody> {
  const chunks: Buffer[] = [];
  for await (const chunk of message) chunks.push(chunk as Buffer); // safe: no encoding is set
  return JSON.parse(Buffer.concat(chunks).toString('utf8')) as RecordedBody; // safe: tests look before they trust
}

interface Exchange {
  readonly request: RecordedRequest;
  readonly response: ServerResponse;
  readonly stall: (over: Promise<unknown>) => Promise<void>;
}

async function play(moves: LlmReply, { request, response, stall }: Exchange): Promise<void> {
  for (const move of moves) {
    if (response.destroyed) return;
    switch (move.kind) {
      case 'status':
        response.writeHead(move.status, { 'content-type': 'application/json', ...move.headers });
        response.end(move.body);
        return;
      case 'hold':
        await stall(move.until);
        break;
      case 'hang':
        if (!response.destroyed) await stall(once(response, 'close'));
        return;
      case 'cut':
        // Lets what was written reach the other side before the line breaks.
        await new Promise((resolve) => setImmediate(resolve));
        response.destroy();
        return;
      case 'end':
        response.end();
        return;
      default:
        await send(
          response,
          move.kind === 'raw' ? move.bytes : `data: ${JSON.stringify(chunk(move, request))}\n\n`,
        );
    }
  }
  await send(response, 'data: [DONE]\n\n');
  response.end();
}

async function send(response: ServerResponse, bytes: string | Uint8Array): Promise<void> {
  if (response.destroyed) return;
  if (!response.headersSent) response.writeHead(200, { 'content-type': 'text/event-stream' });
  if (!response.write(bytes)) await drained(response);
}

/** Until there is room again, or nobody to write to. */
function drained(response: ServerResponse): Promise<void> {
  return new Promise((resolve) => {
    const end = (): void => {
      response.off('drain', end);
      response.off('close', end);
      resolve();
    };
    response.on('drain', end);
    response.on('close', end);
  });
}

type StreamMove = Extract<LlmMove, { kind: 'text' | 'reasoning' | 'tools' | 'finish' | 'empty' }>;

function chunk(move: StreamMove, request: RecordedRequest): object {
  const base = {
    id: 'chatcmpl-emulated',
    object: 'chat.completion.chunk',
    created: 0,
    model: request.body.model,
  };
  switch (move.kind) {
    case 'text':
      return { ...base, choices: [choice({ role: 'assistant', content: move.delta })] };
    case 'reasoning':
      return { ...base, choices: [choice({ role: 'assistant', reasoning_content: move.delta })] };
    case 'tools':
      return { ...base, choices: [choice({ role: 'assistant', tool_calls: move.deltas.map(toolDelta) })] };
    case 'finish':
      return {
        ...base,
        choices: [choice({}, move.finish)],
        ...(move.usage === undefined ? {} : { usage: move.usage }),
      };
    case 'empty':
      return { ...base, choices: [] };
    default:
      return move satisfies never;
  }
}

function choice(delta: object, finish: string | null = null): object {
  return { index: 0, delta, finish_reason: finish };
}

function toolDelta(delta: WireToolDelta): object {
  const { index, id, name, arguments: piece } = delta;
  return {
    index,
    ...(id === undefined ? {} : { id, type: 'function' }),
    function: {
      ...(name === undefined ? {} : { name }),
      ...(piece === undefined ? {} : { arguments: piece }),
    },
  };
}
