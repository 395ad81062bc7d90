import { canonicalJson, type Digest, type JsonObject, sha256 } from '../base/index.ts';

/** What a writer says happened; the store adds sequence, time and chain. */
export interface AuditDraft {
  /** `<room>.<verb>` */
  readonly action: string;
  /** Principal key, or `appliance`. */
  readonly actor: string;
  /** Id of what it is about. */
  readonly subject: string;
  readonly workspace?: string | undefined;
  readonly context?: string | undefined;
  /** Metadata: ids, digests, reasons, counts. Never secrets. */
  readonly data?: JsonObject | undefined;
  /** Message text; kept only where the configuration says `content`, else replaced by its digest. */
  readonly content?: string | undefined;
}

/** One fact of the append-only log. */
export interface AuditEvent {
  /** 1, 2, 3, … without holes. */
  readonly seq: number;
  readonly at: number;
  readonly action: string;
  readonly actor: string;
  readonly subject: string;
  readonly workspace?: string | undefined;
  readonly context?: string | undefined;
  readonly data: JsonObject;
  readonly previousHash: Digest;
  readonly hash: Digest;
}

/** A signed head of the chain. */
export interface Checkpoint {
  readonly seq: number;
  readonly hash: Digest;
  readonly at: number;
  readonly keyId: string;
  /** base64 Ed25519 over `checkpointBytes`. */
  readonly signature: string;
}

/** Hash before the first event. */
export const GENESIS: Digest = sha256('agent-runtime audit v1');

/** A point of the chain: after record `seq`, 0 before the first. */
export interface ChainHead {
  readonly seq: number;
  readonly hash: Digest;
}

/** SHA-256 of a record's canonical JSON, without its place in the chain: what a link shows to those who may not read the record. */
export function recordDigest(event: Omit<AuditEvent, 'hash' | 'previousHash'>): Digest {
  return sha256(canonicalJson({ ...event, previousHash: undefined, hash: undefined }));
}

/** SHA-256 over the previous hash and the digest of the record. */
export function linkHash(previousHash: Digest, record: Digest): Digest {
  return sha256(`${previousHash}\n${record}`);
}

/** The hash of a record in its place. */
export function auditHash(event: Omit<AuditEvent, 'hash'>): Digest {
  return linkHash(event.previousHash, recordDigest(event));
}

/** Where the chain stands after these links, digests of the records that follow, oldest first. */
export function extendHead(head: ChainHead, links: readonly Digest[]): ChainHead {
  return { seq: head.seq + links.length, hash: links.reduce(linkHash, head.hash) };
}

export function checkpointBytes(checkpoint: Omit<Checkpoint, 'signature'>): string {
  return `agent-runtime checkpoint v1\n${canonicalJson({ seq: checkpoint.seq, hash: checkpoint.hash, at: checkpoint.at, keyId: checkpoint.keyId })}`;
}

export type ChainProblem =
  | { readonly kind: 'gap' | 'order'; readonly seq: number; readonly text: string }
  | { readonly kind: 'hash' | 'link'; readonly seq: number; readonly text: string }
  | { readonly kind: 'checkpoint'; readonly seq: number; readonly text: string }
  | { readonly kind: 'truncated'; readonly seq: number; readonly text: string }
  | { readonly kind: 'signature'; readonly seq: number; readonly text: string };

/** State of a verification in progress; feed it events in order, then call `finish`. */
export interface ChainVerifier {
  add(event: AuditEvent): void;
  finish(): { readonly problems: readonly ChainProblem[]; readonly count: number; readonly head: Digest };
}

/**
 * Verifies a chain as a stream, with bounded memory: flips, deletions, insertions, swaps and truncation are all found.
 * @param checkpoints     signed heads known from elsewhere, any order
 * @param verifySignature true when the signature is good for these bytes; given by the caller, for this floor has no keys
 */
export function chainVerifier(
  checkpoints: readonly Checkpoint[],
  verifySignature: (checkpoint: Checkpoint, bytes: string) => boolean,
): ChainVerifier {
  const problems: ChainProblem[] = [];
  const bySeq = new Map<number, Checkpoint[]>();
  for (const checkpoint of checkpoints) {
    if (!isSigned(checkpoint, verifySignature)) {
      problems.push({
        kind: 'checkpoint',
        seq: checkpoint.seq,
        text: `the signature of checkpoint ${checkpoint.seq} is false`,
      });
      continue;
    }
    bySeq.set(checkpoint.seq, [...(bySeq.get(checkpoint.seq) ?? []), checkpoint]);
  }
  let head: Digest = GENESIS;
  let seq = 0;
  // A signed empty log is a fact too, and says nothing about what follows.
  if ((bySeq.get(0) ?? []).every((checkpoint) => checkpoint.hash === GENESIS)) bySeq.delete(0);
  return {
    add(event) {
      if (problems.length > 100) return;
      if (!Number.isSafeInteger(event.seq)) {
        seq += 1;
        head = event.hash;
        problems.push({ kind: 'hash', seq, text: `record ${seq} was changed: it has no number` });
        return;
      }
      if (event.seq !== seq + 1)
        problems.push({
          kind: event.seq > seq + 1 ? 'gap' : 'order',
          seq: event.seq,
          text: `after ${seq} comes ${event.seq}`,
        });
      if (event.previousHash !== head)
        problems.push({
          kind: 'link',
          seq: event.seq,
          text: `record ${event.seq} does not follow the one before it`,
        });
      const { hash } = event;
      if (!isIntact(event))
        problems.push({ kind: 'hash', seq: event.seq, text: `record ${event.seq} was changed` });
      for (const checkpoint of bySeq.get(event.seq) ?? []) {
        if (checkpoint.hash !== hash)
          problems.push({
            kind: 'checkpoint',
            seq: event.seq,
            text: `record ${event.seq} is not the one that was signed`,
          });
      }
      bySeq.delete(event.seq);
      head = hash;
      seq = event.seq;
    },
    finish() {
      for (const missing of bySeq.keys()) {
        problems.push({
          kind: 'truncated',
          seq: missing,
          text: `record ${missing} was signed once and is not here`,
        });
      }
      return { problems, count: seq, head };
    },
  };
}

/** A record that has no canonical form at all was changed, too. */
function isIntact(event: AuditEvent): boolean {
  try {
    return auditHash(event) === event.hash;
  } catch {
    return false;
  }
}

/** A signature that cannot even be looked at is false. */
function isSigned(
  checkpoint: Checkpoint,
  verify: (checkpoint: Checkpoint, bytes: string) => boolean,
): boolean {
  try {
    return verify(checkpoint, checkpointBytes(checkpoint));
  } catch {
    return false;
  }
}
