import { existsSync } from 'node:fs';
import { type AdminReply, AppError } from '@agent-runtime/domain';
import type { AdminClient } from './client.ts';
import { type KeyStore, keyStore } from './key-store.ts';

/** Where a runtime may be, and what this person has. */
export interface Remote {
  /** Of the data folder on this machine; may be absent. */
  readonly socketPath: string;
  readonly configDir: string;
  /** The runtime elsewhere that is meant; undefined: the one on this machine, else the only one we are enrolled with. */
  readonly server: string | undefined;
  /** Of the key files, when they have one. */
  readonly passphrase: string | undefined;
  nowMs(): number;
}

/**
 * The admin API of the runtime that is meant.
 * @throws AppError tui.instance.missing (no such enrolment) · tui.instance.conflict (several) · those of the client
 */
export async function connect(remote: Remote): Promise<AdminClient> {
  const keys = keyStore(remote.configDir, remote.passphrase);
  const instanceId = instanceElsewhere(remote, keys);
  if (instanceId !== undefined) {
    const { tlsClient } = await import('./tls-client.ts');
    return tlsClient({ instanceId, keys, nowMs: () => remote.nowMs() });
  }
  const { socketClient } = await import('./admin-client.ts');
  return socketClient({ socketPath: remote.socketPath, keys, nowMs: () => remote.nowMs() });
}

/** Enrols by a public address. @throws AppError those of `enrolByUrl` */
export async function enrolByAddress(
  remote: Remote,
  how: { readonly url: string; readonly code: string; readonly mayReplace: boolean },
): Promise<AdminReply<'key.enrol'>> {
  const { enrolByUrl } = await import('./enrolment.ts');
  return enrolByUrl({ ...how, keys: keyStore(remote.configDir, remote.passphrase) });
}

function instanceElsewhere(remote: Remote, keys: KeyStore): string | undefined {
  if (remote.server === undefined && existsSync(remote.socketPath)) return undefined;
  const enrolled = keys.instances().flatMap((id) => {
    const url = keys.credentials(id)?.adminUrl;
    return url === undefined ? [] : [{ id, origin: new URL(url).origin }];
  });
  if (remote.server === undefined) {
    if (enrolled.length > 1) throw several(enrolled.map((one) => one.origin));
    return enrolled[0]?.id;
  }
  const wanted = remote.server.replace(/\/+$/, '');
  const found = enrolled.find((one) => one.origin === wanted);
  if (found !== undefined) return found.id;
  throw new AppError({
    code: 'tui.instance.missing',
    kind: 'missing',
    message: `This machine is not enrolled with ${wanted} (AGENT_RUNTIME_SERVER). Enrol it: agent-runtime enrol --url U --invite CODE.`,
  });
}

function several(origins: readonly string[]): AppError {
  return new AppError({
    code: 'tui.instance.conflict',
    kind: 'conflict',
    message: `This machine is enrolled with several runtimes: ${origins.join(', ')}. Say which: AGENT_RUNTIME_SERVER.`,
  });
}
