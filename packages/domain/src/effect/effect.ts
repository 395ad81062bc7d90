import {
  AppError,
  type ApprovalId,
  type ContextId,
  canonicalJson,
  type Digest,
  type EffectId,
  type Json,
  type JsonObject,
  type RunId,
  sha256,
  type TaskId,
  type WorkspaceId,
} from '../base/index.ts';
import type { Principal } from '../identity/index.ts';
import type { Label } from '../label/index.ts';

/** Classes of acts, see docs/rooms/effect.md. R read · W writes · E0 to a human of the origin · E1 external · F fetch · K code · A admin. */
export const EFFECT_CLASSES = ['R', 'W0', 'W1', 'W2', 'E0', 'E1', 'F', 'K', 'A'] as const;
export type EffectClass = (typeof EFFECT_CLASSES)[number];

/** Where an effect lands: a connector's account (or `files`) and an address inside it. */
export interface Sink {
  readonly connector: string;
  readonly account: string;
  /** Channel, chat, path or URL inside the account. */
  readonly address: string;
}

/**
 * The part of an effect that a human approves: what leaves, byte for byte, and to whom.
 * `payloads` are the final wire payloads in order: rendered, split, MIME bytes as base64.
 */
export interface EffectBytes {
  readonly kind: string;
  readonly sink: Sink;
  readonly recipients: readonly string[];
  readonly payloads: readonly JsonObject[];
}

export const EFFECT_STATES = [
  'proposed',
  'approved',
  'denied',
  'withdrawn',
  'superseded',
  'expired',
  'performing',
  'done',
  'rejected',
  'uncertain',
  'void',
] as const;
export type EffectState = (typeof EFFECT_STATES)[number];

export interface Effect extends EffectBytes {
  readonly id: EffectId;
  readonly class: EffectClass;
  /** The tool that proposed it; must still be allowed when it is performed. Absent: an answer or notice of the appliance. */
  readonly tool?: string | undefined;
  readonly workspace: WorkspaceId;
  readonly context: ContextId;
  readonly task?: TaskId | undefined;
  readonly run?: RunId | undefined;
  readonly requester: Principal;
  readonly label: Label;
  readonly digest: Digest;
  readonly state: EffectState;
  /** What policy said when it was made; an `ask` needs a consumed approval before it is performed. */
  readonly decision: 'permit' | 'ask';
  readonly approval?: ApprovalId | undefined;
  /** One line for people: what it would do. */
  readonly summary: string;
  readonly supersedes?: EffectId | undefined;
  readonly createdAt: number;
  readonly expiresAt?: number | undefined;
  /** Earliest next try, epoch ms, while `approved`; 0 at once, whatever the clock says. */
  readonly notBefore: number;
  /** Tries so far. */
  readonly attempts: number;
  /** How many payloads are known to have been accepted outside, with their receipts. */
  readonly receipts: readonly JsonObject[];
  /** Boot epoch of the process that claimed it. */
  readonly claimEpoch?: number | undefined;
  readonly error?: { readonly code: string; readonly kind: string; readonly message: string } | undefined;
  readonly settledAt?: number | undefined;
}

/** Canonical bytes of what leaves (RFC 8785). The digest, the approval and the wire all come from these. */
export function effectBytes(effect: EffectBytes): string {
  const value: Json = {
    kind: effect.kind,
    sink: { connector: effect.sink.connector, account: effect.sink.account, address: effect.sink.address },
    recipients: effect.recipients,
    payloads: effect.payloads,
  };
  return canonicalJson(value);
}

/** SHA-256 over `effectBytes`. */
export function effectDigest(effect: EffectBytes): Digest {
  return sha256(effectBytes(effect));
}

/** @throws AppError effect.digest.conflict when the stored bytes are not those that were digested */
export function assertIntact(effect: Effect): void {
  if (effectDigest(effect) === effect.digest) return;
  throw new AppError({
    code: 'effect.digest.conflict',
    kind: 'conflict',
    message: `The stored bytes of ${effect.id} are not the ones that were shown. It will not be sent; propose it again.`,
  });
}
