import { generateKeyPairSync, type KeyObject, sign } from 'node:crypto';
import {
  type AdminReply,
  type ChainHead,
  checkpointBytes,
  type Digest,
  EXTENSION_LINKS,
  extendHead,
  GENESIS,
  sha256,
} from '@agent-runtime/domain';
import type { Witness, WitnessStore } from './witness-store.ts';

/** A log that answers as the server does, and can be rolled back, rewritten or signed by somebody else. */
export interface FakeLog {
  /** Digests of its records. */
  readonly links: Digest[];
  add(count: number): void;
  /** Keeps so many records and puts others after them. */
  rewrite(kept: number, count: number): void;
  /** Another key signs from now on. */
  changeKey(): void;
  head(): ChainHead;
  /** Tests put a lie in its place. */
  answer(input: { readonly after?: unknown }): AdminReply<'audit.extension'>;
  /** How many pages were asked for. */
  readonly pages: () => number;
}

export function fakeLog(): FakeLog {
  let keys = generateKeyPairSync('ed25519');
  let pages = 0;
  const grow = (count: number, word: string): void => {
    for (let n = 0; n < count; n += 1) log.links.push(sha256(`${word} ${log.links.length}`));
  };
  const log: FakeLog = {
    links: [],
    add: (count) => grow(count, 'record'),
    rewrite: (kept, count) => {
      log.links.length = kept;
      grow(count, 'other record');
    },
    changeKey: () => {
      keys = generateKeyPairSync('ed25519');
    },
    head: () => extendHead({ seq: 0, hash: GENESIS }, log.links),
    pages: () => pages,
    answer: ({ after }) => {
      pages += 1;
      return {
        public_key: String(keys.publicKey.export({ type: 'spki', format: 'pem' })),
        checkpoint: signed(log.head(), keys.privateKey),
        links: after === undefined ? [] : log.links.slice(Number(after), Number(after) + EXTENSION_LINKS),
      };
    },
  };
  log.add(7);
  return log;
}

function signed(head: ChainHead, key: KeyObject): AdminReply<'audit.extension'>['checkpoint'] {
  const at = Date.UTC(2026, 10, 21);
  const bytes = checkpointBytes({ ...head, at, keyId: 'audit' });
  const signature = sign(null, Buffer.from(bytes), key).toString('base64');
  return { ...head, at, key_id: 'audit', signature };
}

/** A memory of logs that is not on the disk. */
export function memoryWitnesses(): WitnessStore & { readonly kept: Map<string, Witness> } {
  const kept = new Map<string, Witness>();
  const write = (instanceId: string, witness: Witness): void => void kept.set(instanceId, witness);
  let keys: readonly string[] | undefined;
  return {
    kept,
    read: (instanceId) => kept.get(instanceId),
    write,
    replace: write,
    keysSeen: () => keys,
    rememberKeys: (_instanceId, ids) => {
      keys = ids;
    },
  };
}
