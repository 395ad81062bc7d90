import type { KeyObject } from 'node:crypto';
import { AppError } from '@agent-runtime/domain';
import { isSignedBy, type KeyId, keyIdOf } from '../key/index.ts';
import { isContentDigestOf } from './content-digest.ts';
import { hasHeader, type RequestHeaders, singleHeader } from './headers.ts';
import type { NonceCache } from './nonce-cache.ts';
import {
  BOOT_HEADER,
  isBootId,
  isLifetime,
  readSignature,
  readSignatureInput,
  SIGNATURE_WINDOW_MS,
  type SignatureParameters,
  writeParameters,
} from './profile.ts';
import { refusal } from './refusal.ts';
import { checkTarget, type RequestTarget, signatureBase } from './target.ts';

export interface RequestToVerify extends RequestTarget {
  /** All headers as received. */
  readonly headers: RequestHeaders;
  /** The whole body as received, before any content decoding. */
  readonly body: Uint8Array;
  /** This server's boot id. */
  readonly bootId: string;
  readonly nowMs: number;
  readonly nonces: NonceCache;
  /** The enrolled, unrevoked key of this id; undefined when there is none. */
  readonly lookupKey: (keyId: KeyId) => KeyObject | undefined | Promise<KeyObject | undefined>;
}

/** A request known to come from the holder of a key, with what the audit needs to check that again later. */
export interface VerifiedRequest {
  readonly keyId: KeyId;
  readonly createdAtMs: number;
  readonly nonce: string;
  /** What was signed; with `signature` and the public key anyone can verify again. */
  readonly signatureBase: Uint8Array;
  readonly signature: Uint8Array;
}

/**
 * Accepts a request only when one signature of our one form covers exactly its method, authority, path, query, body and
 * this boot, is at most 60 s away from `nowMs`, comes from an enrolled key, and was never seen before.
 * @throws AppError kind unauthenticated: signature.{request,form,clock,boot,digest,key,nonce}.unauthenticated
 * @throws AppError signature.nonce.exhausted (replay memory full), signature.lookup.unavailable (lookupKey threw),
 *   signature.{boot,lookup}.bug (the caller's boot id is unusable, lookupKey gave another key). Nothing else.
 */
export async function verifyRequest(request: RequestToVerify): Promise<VerifiedRequest> {
  const claim = readClaim(request);
  const base = signatureBase(claim.target, {
    contentDigest: claim.contentDigest,
    bootId: request.bootId,
    parameters: writeParameters(claim.parameters),
  });
  const key = await findKey(request, claim.parameters.keyId);
  if (!isSignedBy(key, base, claim.signature)) throw refusal('key', 'signature does not verify');
  // Last and synchronous: only a proven signer takes room in the cache, and no other copy slips in between.
  useNonce(request, claim);
  return {
    keyId: claim.parameters.keyId,
    createdAtMs: claim.parameters.createdSeconds * 1000,
    nonce: claim.parameters.nonce,
    signatureBase: base,
    signature: claim.signature,
  };
}

interface Claim {
  readonly target: NonNullable<ReturnType<typeof checkTarget>>;
  readonly parameters: SignatureParameters;
  readonly signature: Uint8Array;
  readonly contentDigest: string;
  readonly acceptableUntilMs: number;
}

// Everything that needs no key. Cheap checks first: a stranger costs us two hashes at most.
function readClaim(request: RequestToVerify): Claim {
  const { headers, nowMs } = request;
  if (!hasHeader(headers, 'signature') && !hasHeader(headers, 'signature-input')) throw refusal('unsigned');
  const parameters = readSignatureInput(singleHeader(headers, 'signature-input') ?? '');
  const signature = readSignature(singleHeader(headers, 'signature') ?? '');
  const contentDigest = singleHeader(headers, 'content-digest');
  const target = checkTarget(request);
  if (!parameters || !signature || contentDigest === undefined || !target) throw refusal('form');
  const acceptableUntilMs = requireCurrent(parameters, nowMs);
  requireBoot(request);
  if (!isContentDigestOf(contentDigest, request.body)) throw refusal('digest');
  return { target, parameters, signature, contentDigest, acceptableUntilMs };
}

/** @returns the last instant at which this signature is acceptable, epoch ms */
function requireCurrent(parameters: SignatureParameters, nowMs: number): number {
  const { createdSeconds, expiresSeconds } = parameters;
  if (!isLifetime(parameters)) throw refusal('form', 'expires');
  const createdAtMs = createdSeconds * 1000;
  const acceptableUntilMs =
    expiresSeconds === undefined ? createdAtMs + SIGNATURE_WINDOW_MS : expiresSeconds * 1000;
  // Written so that a clock of NaN is refused too.
  const isCurrent = nowMs >= createdAtMs - SIGNATURE_WINDOW_MS && nowMs <= acceptableUntilMs;
  if (!isCurrent) throw refusal('clock', { nowMs, createdAtMs, acceptableUntilMs });
  return acceptableUntilMs;
}

function requireBoot(request: RequestToVerify): void {
  if (!isBootId(request.bootId)) throw bug('signature.boot.bug', 'the server has no usable boot id');
  if (singleHeader(request.headers, BOOT_HEADER) !== request.bootId) throw refusal('boot');
}

async function findKey(request: RequestToVerify, keyId: KeyId): Promise<KeyObject> {
  const key = await lookUp(request, keyId);
  if (key === undefined) throw refusal('key', 'unknown key id');
  // Also re-checks the key's shape: the store may hold what an older or other version let in.
  if (!isKeyOf(key, keyId))
    throw bug('signature.lookup.bug', 'the lookup returned a key of another id or shape');
  return key;
}

async function lookUp(request: RequestToVerify, keyId: KeyId): Promise<KeyObject | undefined> {
  try {
    return await request.lookupKey(keyId);
  } catch (cause) {
    if (cause instanceof AppError) throw cause;
    throw new AppError({
      code: 'signature.lookup.unavailable',
      kind: 'unavailable',
      message: 'The client keys cannot be read right now. Try again in a moment.',
      cause,
    });
  }
}

function isKeyOf(key: KeyObject, keyId: KeyId): boolean {
  try {
    return keyIdOf(key) === keyId;
  } catch {
    return false;
  }
}

function useNonce(request: RequestToVerify, claim: Claim): void {
  const { keyId, nonce } = claim.parameters;
  const { acceptableUntilMs } = claim;
  const outcome = request.nonces.use({ keyId, nonce, acceptableUntilMs, nowMs: request.nowMs });
  switch (outcome) {
    case 'fresh':
      return;
    case 'seen':
      throw refusal('nonce');
    case 'late':
      throw refusal('clock', 'the server clock was set back');
    case 'full':
      throw new AppError({
        code: 'signature.nonce.exhausted',
        kind: 'exhausted',
        message: 'Too many signed requests in the last minute. Wait a minute, then run the command again.',
        retryAfterMs: SIGNATURE_WINDOW_MS,
      });
    default:
      throw bug('signature.nonce.bug', outcome satisfies never);
  }
}

function bug(code: string, detail: string): AppError {
  return new AppError({
    code,
    kind: 'bug',
    message: 'The server could not check this request. Its log has the details.',
    detail,
  });
}
