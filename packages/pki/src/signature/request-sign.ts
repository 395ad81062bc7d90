import { randomBytes } from 'node:crypto';
import { AppError } from '@agent-runtime/domain';
import { type ClientKey, signBytes } from '../key/index.ts';
import { contentDigest } from './content-digest.ts';
import { hasHeader, type RequestHeaders } from './headers.ts';
import {
  BOOT_HEADER,
  isBootId,
  isLifetime,
  isNonce,
  type SignatureParameters,
  writeParameters,
  writeSignature,
  writeSignatureInput,
} from './profile.ts';
import { checkTarget, type RequestTarget, signatureBase } from './target.ts';

export interface RequestToSign extends RequestTarget {
  /** Headers already set; none of the four that this function adds may be among them. */
  readonly headers?: RequestHeaders;
  /** The bytes that are sent, after any content coding; empty when there is no body. */
  readonly body: Uint8Array;
  readonly key: ClientKey;
  /** What the server last said in BOOT_HEADER: 16 to 128 of letters, digits, `-` and `_`. */
  readonly bootId: string;
  /** The server's time as the client knows it (own clock plus offset), epoch ms. */
  readonly nowMs: number;
  /** Ends the acceptance before the window does, epoch ms, rounded down to a second. */
  readonly expiresAtMs?: number;
  /** 22 to 64 characters of base64url, used once; 128 random bits when absent. */
  readonly nonce?: string;
}

/** The headers to add to the request, names in lower case. */
export interface SignatureHeaders {
  readonly 'content-digest': string;
  readonly [BOOT_HEADER]: string;
  readonly 'signature-input': string;
  readonly signature: string;
}

/**
 * Signs one request with a client key, in the form `verifyRequest` accepts.
 * @throws AppError signature.target.invalid: a part of the request has a form that cannot be signed. Cost about 1 ms.
 */
export function signRequest(request: RequestToSign): SignatureHeaders {
  const target = checkTarget(request);
  if (target === undefined) throw unsignable('method, path, query or host');
  if (!isBootId(request.bootId)) throw unsignable('boot id');
  const parameters = newParameters(request);
  const digest = contentDigest(request.body);
  const base = signatureBase(target, {
    contentDigest: digest,
    bootId: request.bootId,
    parameters: writeParameters(parameters),
  });
  const added = {
    'content-digest': digest,
    [BOOT_HEADER]: request.bootId,
    'signature-input': writeSignatureInput(parameters),
    signature: writeSignature(signBytes(request.key.privateKey, base)),
  };
  // Two of one header would be refused by the server, with a text that points elsewhere.
  if (Object.keys(added).some((name) => hasHeader(request.headers ?? {}, name))) throw unsignable('headers');
  return added;
}

function newParameters(request: RequestToSign): SignatureParameters {
  const createdSeconds = Math.floor(request.nowMs / 1000);
  const expiresSeconds =
    request.expiresAtMs === undefined ? undefined : Math.floor(request.expiresAtMs / 1000);
  // Hexadecimal: no text of it looks like a secret to a redactor, which would break the copy of the signature in the log.
  const nonce = request.nonce ?? randomBytes(16).toString('hex');
  if (!isNonce(nonce)) throw unsignable('nonce');
  if (!isLifetime({ createdSeconds, expiresSeconds })) throw unsignable('time');
  return { createdSeconds, expiresSeconds, nonce, keyId: request.key.keyId };
}

function unsignable(what: string): AppError {
  return new AppError({
    code: 'signature.target.invalid',
    kind: 'invalid',
    message: `This request cannot be signed: its ${what} has a form that no server accepts.`,
  });
}
