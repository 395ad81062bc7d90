import { createHash } from 'node:crypto';
import { chmodSync, lstatSync, mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { createConnection } from 'node:net';
import { join } from 'node:path';
import { AppError } from '@agent-runtime/domain';
import { createAdaptorServer } from '@hono/node-server';
import type { Hono } from 'hono';

/** Linux allows 107 bytes, macOS 103; below both with room. */
const MAX_SOCKET_PATH_BYTES = 100;
const FOLDER = 'agent-runtime';
/** Holds the socket's path when it could not lie in the data folder; the command line reads it. */
export const SOCKET_POINTER = 'admin.sock.path';

export interface AdminSocketInput {
  readonly app: Hono;
  /** Absolute path of the data folder. */
  readonly dataDir: string;
  /** Short folder of this user for sockets when the data folder's path is too long, e.g. `$XDG_RUNTIME_DIR` or the temporary folder. */
  readonly runtimeDir: string;
}

export interface AdminSocket {
  readonly path: string;
  /** Stops listening, ends open connections, removes the socket. */
  close(): Promise<void>;
}

/**
 * Where the socket of a data folder lies.
 * @returns the path in the data folder, or a short one named by the digest of the data folder's path
 */
export function adminSocketPath(dataDir: string, runtimeDir: string): string {
  const inside = join(dataDir, FOLDER, 'admin.sock');
  if (Buffer.byteLength(inside) <= MAX_SOCKET_PATH_BYTES) return inside;
  const name = createHash('sha256').update(dataDir).digest('hex').slice(0, 16);
  return join(runtimeDir, `agent-runtime-${name}`, 'admin.sock');
}

/**
 * Serves the admin API on the unix socket, in a folder that only this user may enter.
 * A socket that a dead process left is removed; one that answers is not.
 * @throws AppError admin.socket.conflict (another runtime listens) · admin.socket.denied (something else, or of someone else, is in the way)
 */
export async function serveAdminSocket(input: AdminSocketInput): Promise<AdminSocket> {
  const path = adminSocketPath(input.dataDir, input.runtimeDir);
  const pointer = join(input.dataDir, FOLDER, SOCKET_POINTER);
  makePrivateFolder(join(input.dataDir, FOLDER));
  makePrivateFolder(join(path, '..'));
  await removeStale(path);
  const server = createAdaptorServer({ fetch: input.app.fetch, overrideGlobalObjects: false });
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen({ path }, () => resolve());
  });
  chmodSync(path, 0o600);
  if (path.startsWith(join(input.dataDir, FOLDER))) rmSync(pointer, { force: true });
  else writeFileSync(pointer, `${path}\n`, { mode: 0o600 });
  return {
    path,
    close: () =>
      new Promise((resolve) => {
        server.close(() => {
          rmSync(path, { force: true });
          resolve();
        });
        if ('closeAllConnections' in server) server.closeAllConnections();
      }),
  };
}

/** A folder of ours with mode 0700; one of another user, or a link, is refused. */
function makePrivateFolder(path: string): void {
  mkdirSync(path, { recursive: true, mode: 0o700 });
  const found = lstatSync(path);
  const isOurs = process.getuid === undefined || found.uid === process.getuid();
  if (!found.isDirectory() || !isOurs) throw inTheWay(path);
  if ((found.mode & 0o777) !== 0o700) chmodSync(path, 0o700);
}

async function removeStale(path: string): Promise<void> {
  const found = lstatSync(path, { throwIfNoEntry: false });
  if (found === undefined) return;
  if (!found.isSocket()) throw inTheWay(path);
  if (await isAnswering(path)) {
    throw new AppError({
      code: 'admin.socket.conflict',
      kind: 'conflict',
      message: 'A runtime is already listening on the admin socket of this data folder. Stop it first.',
    });
  }
  rmSync(path, { force: true });
}

function isAnswering(path: string): Promise<boolean> {
  return new Promise((resolve) => {
    const connection = createConnection({ path });
    connection.once('connect', () => {
      connection.destroy();
      resolve(true);
    });
    connection.once('error', () => resolve(false));
  });
}

function inTheWay(path: string): AppError {
  return new AppError({
    code: 'admin.socket.denied',
    kind: 'denied',
    message: `${path} is in the way: it is not ours, or not what it should be. Remove it, then start again.`,
  });
}
