import {
  chmodSync,
  existsSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { request } from 'node:http';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Hono } from 'hono';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { type AdminSocket, adminSocketPath, SOCKET_POINTER, serveAdminSocket } from './socket.ts';

let folder: string;
let open: AdminSocket[];
const app = new Hono().get('/ping', (c) => c.text('pong'));
const codeOf = (code: string) => expect.objectContaining({ code });

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'sock-'));
  open = [];
});
afterEach(async () => {
  for (const socket of open) await socket.close();
  rmSync(folder, { recursive: true, force: true });
});

async function serve(dataDir: string): Promise<AdminSocket> {
  const socket = await serveAdminSocket({ app, dataDir, runtimeDir: folder });
  open.push(socket);
  return socket;
}

function get(socketPath: string): Promise<string> {
  return new Promise((resolve, reject) => {
    request({ socketPath, path: '/ping' }, (response) => {
      let text = '';
      response.on('data', (part) => {
        text += String(part);
      });
      response.on('end', () => resolve(text));
    })
      .on('error', reject)
      .end();
  });
}

describe('the admin socket', () => {
  test('lies in the data folder, in a folder of its owner alone', async () => {
    const socket = await serve(folder);
    expect(socket.path).toBe(join(folder, 'agent-runtime', 'admin.sock'));
    expect(await get(socket.path)).toBe('pong');
    expect(lstatSync(join(folder, 'agent-runtime')).mode & 0o777).toBe(0o700);
    expect(lstatSync(socket.path).mode & 0o777).toBe(0o600);
    expect(existsSync(join(folder, 'agent-runtime', SOCKET_POINTER))).toBe(false);
    await socket.close();
    expect(existsSync(socket.path)).toBe(false);
  });

  test('closes an open folder before it listens', async () => {
    mkdirSync(join(folder, 'agent-runtime'));
    chmodSync(join(folder, 'agent-runtime'), 0o777);
    await serve(folder);
    expect(lstatSync(join(folder, 'agent-runtime')).mode & 0o777).toBe(0o700);
  });

  test('with too long a path lies elsewhere, and the data folder says where', async () => {
    const dataDir = join(folder, 'd'.repeat(90));
    const socket = await serve(dataDir);
    expect(Buffer.byteLength(socket.path)).toBeLessThanOrEqual(100);
    expect(socket.path).toBe(adminSocketPath(dataDir, folder));
    expect(readFileSync(join(dataDir, 'agent-runtime', SOCKET_POINTER), 'utf8').trim()).toBe(socket.path);
    expect(lstatSync(join(socket.path, '..')).mode & 0o777).toBe(0o700);
    expect(await get(socket.path)).toBe('pong');
    expect(adminSocketPath(`${dataDir}2`, folder)).not.toBe(socket.path);
  });

  test('of a running process is left alone, of a dead one replaced', async () => {
    await serve(folder);
    await expect(serveAdminSocket({ app, dataDir: folder, runtimeDir: folder })).rejects.toEqual(
      codeOf('admin.socket.conflict'),
    );
    const stale = join(folder, 'two');
    mkdirSync(join(stale, 'agent-runtime'), { recursive: true });
    const path = join(stale, 'agent-runtime', 'admin.sock');
    // A server that is killed leaves its socket behind; here its name is kept while the server goes.
    await new Promise<void>((resolve) => {
      const server = createServer().listen(path, () => {
        writeFileSync(`${path}.note`, '');
        server.close(() => resolve());
      });
    });
    const socket = await serve(stale);
    expect(await get(socket.path)).toBe('pong');
  });

  test('refuses when something else is in the way', async () => {
    mkdirSync(join(folder, 'agent-runtime'));
    writeFileSync(join(folder, 'agent-runtime', 'admin.sock'), 'precious');
    await expect(serveAdminSocket({ app, dataDir: folder, runtimeDir: folder })).rejects.toEqual(
      codeOf('admin.socket.denied'),
    );
    expect(readFileSync(join(folder, 'agent-runtime', 'admin.sock'), 'utf8')).toBe('precious');
  });
});
