import { AppError, type KeyRow } from '@agent-runtime/domain';
import type { AdminClient } from './client.ts';
import type { WitnessStore } from './witness-store.ts';

/**
 * Client keys that were enrolled since this machine last looked, each told once: a stolen host could make one for anybody. The first look
 * only remembers. Whoever may not list keys learns nothing.
 * @throws AppError those of the client, but for a denial
 */
export async function newKeys(input: {
  readonly client: Pick<AdminClient, 'call' | 'instanceId'>;
  readonly witnesses: WitnessStore;
}): Promise<readonly KeyRow[]> {
  const keys = await listKeys(input.client);
  if (keys === undefined) return [];
  const instanceId = await input.client.instanceId();
  const seen = input.witnesses.keysSeen(instanceId);
  const fresh = keys.filter((key) => seen?.includes(key.id) !== true);
  if (fresh.length > 0)
    input.witnesses.rememberKeys(
      instanceId,
      keys.map((key) => key.id),
    );
  return seen === undefined ? [] : fresh;
}

async function listKeys(client: Pick<AdminClient, 'call'>): Promise<readonly KeyRow[] | undefined> {
  try {
    return (await client.call('key.list', {})).items;
  } catch (thrown) {
    if (thrown instanceof AppError && thrown.kind === 'denied') return undefined;
    throw thrown;
  }
}
