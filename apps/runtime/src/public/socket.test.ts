import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { MAX_BODY_BYTES, type RunId } from '@agent-runtime/domain';
import { until } from '@agent-runtime/testkit';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { type Listener, serveHttp } from '../system/listener.ts';
import { eventBody, type PublicWorld, publicWorld } from './public.fixture.ts';

const ANY_PORT = { host: '127.0.0.1', port: 0 };
let world: PublicWorld;
let listener: Listener;
let token: Awaited<ReturnType<PublicWorld['token']>>;
beforeEach(async () => {
  world = await publicWorld();
  token = await world.token('shop');
  listener = await serveHttp(world.app.fetch, ANY_PORT, 'PUBLIC_LISTEN');
});
afterEach(async () => {
  await listener.close(0);
  await world.close();
});

async function startRun(): Promise<RunId> {
  const response = await fetch(`${listener.url}/v1/events`, {
    method: 'POST',
    headers: { Authorization: `Bearer ${token.secret}` },
    body: JSON.stringify(eventBody()),
  });
  return ((await response.json()) as { run_id: RunId }).run_id; // safe: its own test checks the shape
}

/** An open event stream with what came so far. */
async function follow(run: RunId, lastId?: string) {
  const stop = new AbortController();
  const response = await fetch(`${listener.url}/v1/runs/${run}/events`, {
    headers: {
      Authorization: `Bearer ${token.secret}`,
      ...(lastId === undefined ? {} : { 'Last-Event-ID': lastId }),
    },
    signal: stop.signal,
  });
  const stream = { text: '', isOver: false, response, stop: () => stop.abort() };
  const read = async (): Promise<void> => {
    const decoder = new TextDecoder();
    for await (const part of response.body ?? []) stream.text += decoder.decode(part, { stream: true });
  };
  void read()
    .catch(() => undefined)
    .finally(() => {
      stream.isOver = true;
    });
  return stream;
}

function names(text: string): string[] {
  return text
    .split('\n\n')
    .filter((frame) => frame.includes('event: '))
    .map((frame) => {
      const id = /^id: (\d+)$/m.exec(frame)?.[1] ?? '-';
      return `${id} ${/^event: (\w+)$/m.exec(frame)?.[1]}`;
    });
}

describe('server-sent events over a real socket', () => {
  test('steps, text and one end; the connection closes by itself', async () => {
    const run = await startRun();
    const stream = await follow(run);
    expect(stream.response.headers.get('Content-Type')).toContain('text/event-stream');
    expect(stream.response.headers.get('X-Content-Type-Options')).toBe('nosniff');
    await world.setRun(run, { state: 'running', startedAt: 5 });
    world.addStep({ kind: 'llm', name: 'main', outcome: 'done' });
    world.write(run, 'Write to');
    await until(() => stream.text.includes('Write to'), 'the first words');
    await world.setRun(run, { state: 'succeeded', output: 'Write to us.' });
    await until(() => stream.isOver, 'the end of the stream');
    expect(names(stream.text)).toEqual([
      '1 state',
      '2 state',
      '3 step',
      '- text',
      '4 state',
      '- text',
      '- end',
    ]);
    expect(stream.text).toContain('"output":"Write to us."');
  });

  test('after a cut it goes on where it was', async () => {
    const run = await startRun();
    await world.setRun(run, { state: 'running', startedAt: 5 });
    const first = await follow(run);
    await until(() => names(first.text).length === 2, 'both states');
    first.stop();
    world.addStep({ kind: 'tool', name: 'md_read', outcome: 'done' });
    await world.setRun(run, { state: 'succeeded', output: 'Done.' });
    const second = await follow(run, '2');
    await until(() => second.isOver, 'the end of the stream');
    expect(names(second.text)).toEqual(['3 step', '4 state', '- text', '- end']);
  });

  test('a Last-Event-ID that is not ours gives everything', async () => {
    const run = await startRun();
    await world.setRun(run, { state: 'aborted' });
    for (const odd of ['x', '-1', '1e3', '99999999999']) {
      const stream = await follow(run, odd);
      await until(() => stream.isOver, 'the end of the stream');
      expect(names(stream.text)).toEqual(['1 state', '2 state', '- end']);
    }
  });

  test('revoking the token ends the stream within a second of the clock, without an end event', async () => {
    const run = await startRun();
    const stream = await follow(run);
    await until(() => names(stream.text).length === 1, 'the first state');
    await world.patchToken(token.id, { revokedAt: world.clock.nowMs() });
    await world.clock.advance(999);
    await until(() => stream.isOver, 'the end of the stream');
    world.write(run, 'canary for a stolen token');
    expect(names(stream.text)).toEqual(['1 state']);
    expect(stream.text).not.toContain('canary');
  });

  test('a reader that went away leaves nothing behind: its place is free again', async () => {
    const run = await startRun();
    for (let n = 0; n < 120; n += 1) {
      const stream = await follow(run);
      expect(stream.response.status).toBe(200);
      stream.stop();
      await until(() => stream.isOver, 'the abort');
      if (n % 20 === 19) await world.clock.settle();
    }
  });
});

describe('what arrives over a real socket', () => {
  async function raw(text: string | Buffer, more?: (socket: Socket) => void): Promise<string> {
    const { hostname, port } = new URL(listener.url);
    const socket = connect(Number(port), hostname);
    await once(socket, 'connect');
    let answer = '';
    socket.on('data', (part) => {
      answer += part.toString('latin1');
    });
    socket.on('error', () => undefined);
    socket.write(text);
    more?.(socket);
    // The server may cut the line while we write: that is no failure here.
    await new Promise((resolve) => socket.once('close', resolve));
    return answer;
  }

  test('a body that never ends is cut off at the limit', async () => {
    let sent = 0;
    const head = `POST /v1/events HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer ${token.secret}\r\nTransfer-Encoding: chunked\r\n\r\n`;
    const chunk = Buffer.concat([Buffer.from('4000\r\n'), Buffer.alloc(0x4000, 32), Buffer.from('\r\n')]);
    const answer = await raw(head, (socket) => {
      const push = (): void => {
        while (!socket.destroyed && sent < 64 * MAX_BODY_BYTES) {
          sent += 0x4000;
          if (!socket.write(chunk)) return void socket.once('drain', push);
        }
      };
      push();
    });
    expect(answer).toContain('413');
    expect(sent).toBeLessThan(16 * MAX_BODY_BYTES);
    expect(world.arrivals).toEqual([]);
  });

  test.each([
    ['a broken host', 'GET /healthz HTTP/1.1\r\nHost: a b/c\r\nConnection: close\r\n\r\n'],
    ['a broken request line', 'GET\r\n\r\n'],
    ['headers that are too long', `GET /healthz HTTP/1.1\r\nHost: x\r\nX: ${'x'.repeat(20_000)}\r\n\r\n`],
    ['no host', 'GET /healthz HTTP/1.1\r\nConnection: close\r\n\r\n'],
  ])('%s gets a refusal without insides', async (_name, request) => {
    const answer = await raw(request);
    expect(answer).toMatch(/^HTTP\/1\.1 4\d\d/);
    expect(answer).not.toMatch(/node_modules|\.ts|Error:/);
  });
});

describe('listening', () => {
  test('a port that is taken is refused with what to change', async () => {
    const port = Number(new URL(listener.url).port);
    await expect(
      serveHttp(world.app.fetch, { host: '127.0.0.1', port }, 'AGENT_RUNTIME_PUBLIC_LISTEN'),
    ).rejects.toMatchObject({
      code: 'runtime.listen.conflict',
      message: expect.stringContaining('AGENT_RUNTIME_PUBLIC_LISTEN'),
    });
  });

  test('an address of another machine is refused', async () => {
    await expect(
      serveHttp(world.app.fetch, { host: '192.0.2.1', port: 0 }, 'AGENT_RUNTIME_PUBLIC_LISTEN'),
    ).rejects.toMatchObject({ code: 'runtime.listen.unavailable' });
  });

  test('closing cuts what does not end by the deadline', async () => {
    const run = await startRun();
    const stream = await follow(run);
    await until(() => names(stream.text).length === 1, 'the first state');
    await listener.close(10);
    await until(() => stream.isOver, 'the cut');
    await expect(fetch(`${listener.url}/healthz`)).rejects.toThrow();
  });
});
