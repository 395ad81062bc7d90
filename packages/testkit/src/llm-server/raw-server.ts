import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { createServer, type Socket } from 'node:net';

/** A server that speaks no HTTP: whatever it is asked, it answers with the same bytes and hangs up. */
export interface RawServer {
  /** Without a path; `http:` or `https:` goes before it. */
  readonly authority: string;
  /** Connections that said something. */
  readonly asked: number;
  close(): Promise<void>;
}

/** @param bytes what every connection hears; none: it is hung up on at once */
export async function startRawServer(bytes: string | Uint8Array): Promise<RawServer> {
  let asked = 0;
  const sockets = new Set<Socket>();
  const server = createServer((socket) => {
    sockets.add(socket);
    socket.on('error', () => undefined);
    socket.on('close', () => sockets.delete(socket));
    socket.once('data', () => {
      asked += 1;
      socket.end(bytes);
    });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo; // safe: it listens on TCP
  return {
    authority: `127.0.0.1:${port}`,
    get asked() {
      return asked;
    },
    close: async () => {
      for (const socket of sockets) socket.destroy();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
