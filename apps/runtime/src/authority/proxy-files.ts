import { chmodSync, mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { writePrivateFile } from '@agent-runtime/store';
import type { Authority } from './authority.ts';

/**
 * What Caddy needs, and nothing more: its certificate for the admin host, the one that opens the hop to the runtime, and the CAs by
 * which it knows people's clients and the runtime. Never the CA's key. Caddy reads them at `caddy reload --force`.
 *
 * INVARIANT: a certificate and its key lie in one file, replaced whole. In two, a reload or a crash in between meets a pair that does not fit.
 * @param folder absolute, e.g. proxy/ beside the data folder; mode 0700, files 0600
 * @throws Error of the file system
 */
export function writeProxyFiles(folder: string, authority: Authority, write = writePrivateFile): void {
  const given = authority.proxy();
  const [current, before] = authority.rootPems();
  if (given === undefined || current === undefined) return;
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  chmodSync(folder, 0o700);
  const files: readonly (readonly [string, string])[] = [
    ['admin.pem', given.admin.certPem + given.admin.keyPem],
    ['upstream.pem', given.upstream.certPem + given.upstream.keyPem],
    // Caddy reads one CA from each file. Outside of a rollover both are the same.
    ['ca.pem', current],
    ['ca-before.pem', before ?? current],
  ];
  for (const [name, text] of files) write(join(folder, name), text);
}
