import { createPublicKey, verify } from 'node:crypto';
import {
  type AdminReply,
  AppError,
  type ChainHead,
  checkpointBytes,
  extendHead,
  toInstant,
} from '@agent-runtime/domain';
import type { AdminClient } from './client.ts';
import type { Witness, WitnessStore } from './witness-store.ts';

type Page = AdminReply<'audit.extension'>;

/** What a check needs: the runtime that is asked, and what this machine remembers of its log. */
export interface ExtensionInput {
  readonly client: Pick<AdminClient, 'call' | 'instanceId'>;
  readonly witnesses: WitnessStore;
}

/**
 * Checks that the log of this runtime goes on from the head that this machine saw last, and remembers the new head. The first head of a
 * runtime is taken as it is, with the key that signed it. Call it before every signed answer, and sign the head that it returns: such an
 * answer holds in no other history.
 * @returns the newest head; everything up to it is what this machine has seen before, or follows it
 * @throws AppError tui.log.conflict: rolled back or rewritten; what is remembered stays. Those of the client
 */
export async function checkExtension({ client, witnesses }: ExtensionInput): Promise<ChainHead> {
  const instanceId = await client.instanceId();
  const known = witnesses.read(instanceId);
  const found = await follow(client, known);
  // Another command may have come further in the meantime.
  if ((witnesses.read(instanceId)?.checkpoint.seq ?? -1) < found.checkpoint.seq)
    witnesses.write(instanceId, found);
  return headOf(found);
}

/** Both heads, for a person who must decide which history is the true one. */
export interface Divergence {
  readonly known: Witness | undefined;
  readonly offered: Witness;
  readonly isExtension: boolean;
}

/** Compares without remembering. @throws AppError those of the client, tui.log.conflict when the offered head is not even signed */
export async function compareLogs({ client, witnesses }: ExtensionInput): Promise<Divergence> {
  const known = witnesses.read(await client.instanceId());
  const offered = witnessOf(await client.call('audit.extension', {}), undefined);
  try {
    return { known, offered: await follow(client, known), isExtension: true };
  } catch (thrown) {
    if (!(thrown instanceof AppError) || thrown.code !== LOG_CONFLICT) throw thrown;
    return { known, offered, isExtension: false };
  }
}

const LOG_CONFLICT = 'tui.log.conflict';

async function follow(client: ExtensionInput['client'], known: Witness | undefined): Promise<Witness> {
  if (known === undefined) return witnessOf(await client.call('audit.extension', {}), undefined);
  let head = headOf(known);
  for (;;) {
    const page = await client.call('audit.extension', { after: head.seq });
    const offered = witnessOf(page, known);
    if (offered.checkpoint.seq < head.seq) throw conflict(known, offered);
    head = extendHead(head, page.links);
    if (head.seq === offered.checkpoint.seq) {
      if (head.hash !== offered.checkpoint.hash) throw conflict(known, offered);
      return offered;
    }
    if (page.links.length === 0 || head.seq > offered.checkpoint.seq) throw conflict(known, offered);
  }
}

/** The signed head of a page, by the key that this machine remembers. */
function witnessOf({ public_key: publicKey, checkpoint }: Page, known: Witness | undefined): Witness {
  const { seq, hash, at, key_id: keyId, signature } = checkpoint;
  const offered = { publicKey, checkpoint: { seq, hash, at, keyId, signature } };
  if (known !== undefined && known.publicKey !== publicKey) throw conflict(known, offered);
  if (isSigned(offered)) return offered;
  throw conflict(known, offered);
}

function isSigned({ publicKey, checkpoint }: Witness): boolean {
  try {
    const bytes = Buffer.from(checkpointBytes(checkpoint));
    return verify(null, bytes, createPublicKey(publicKey), Buffer.from(checkpoint.signature, 'base64'));
  } catch {
    return false;
  }
}

function headOf({ checkpoint }: Witness): ChainHead {
  return { seq: checkpoint.seq, hash: checkpoint.hash };
}

/** A head as people compare it. */
export function sayHead({ checkpoint }: Witness): string {
  return `record ${checkpoint.seq} (${checkpoint.hash}), signed ${toInstant(checkpoint.at)}`;
}

function conflict(known: Witness | undefined, offered: Witness): AppError {
  const before =
    known === undefined
      ? 'none'
      : `${sayHead(known)}${known.publicKey === offered.publicKey ? '' : ', by another key'}`;
  return new AppError({
    code: LOG_CONFLICT,
    kind: 'conflict',
    message: [
      'THE LOG WAS ROLLED BACK OR REWRITTEN. Approve nothing until you know why.',
      `This machine saw ${before}. The runtime now shows ${sayHead(offered)}, and that does not follow it.`,
      'If the host has just restored a copy or rebuilt, ask them, then: agent-runtime audit trust.',
      'If nobody did, somebody has changed the runtime: agent-runtime panic on, and keep this machine’s witness.json as evidence.',
    ].join('\n'),
    detail: { known: known?.checkpoint, offered: offered.checkpoint },
  });
}
