import { type KeyId, parseKeyId, SIGNATURE_BYTES } from '../key/index.ts';

/** Carries the server's boot id: sent by the server on every answer, sent back and signed by the client. */
export const BOOT_HEADER = 'x-agent-runtime-boot';
/** How far `created` may lie from the server's clock, either way, in milliseconds. */
export const SIGNATURE_WINDOW_MS = 60_000;
export const SIGNATURE_TAG = 'agent-runtime-admin';
/**
 * Stands for @authority on the unix socket, where there is no host. A reserved name that no TLS listener can have, so
 * that a request signed for the socket is worthless on the network and the other way round.
 */
export const SOCKET_AUTHORITY = 'socket.agent-runtime.invalid';

/** What a signature covers, in this order. Nothing more, nothing less. */
export const COMPONENTS = [
  '@method',
  '@authority',
  '@path',
  '@query',
  'content-digest',
  BOOT_HEADER,
] as const;

/** The parameters of one signature. Instants are whole seconds since 1970, as RFC 9421 has them. */
export interface SignatureParameters {
  readonly createdSeconds: number;
  readonly expiresSeconds?: number | undefined;
  readonly nonce: string;
  readonly keyId: KeyId;
}

const LABEL = 'sig';
const ALGORITHM = 'rsa-pss-sha512';
const COMPONENT_LIST = `(${COMPONENTS.map((name) => `"${name}"`).join(' ')})`;
const PREFIX = `${LABEL}=${COMPONENT_LIST};`;
const SECONDS = '(0|[1-9][0-9]{0,11})';
const NONCE = '[A-Za-z0-9_-]{22,64}'; // 22 characters of base64url hold 128 bits
const PARAMETERS = new RegExp(
  `^created=${SECONDS}(?:;expires=${SECONDS})?;nonce="(${NONCE})";keyid="([A-Za-z0-9_-]{43})"` +
    `;alg="${ALGORITHM}";tag="${SIGNATURE_TAG}"$`,
);
const BOOT_ID = /^[A-Za-z0-9_-]{16,128}$/;
const WHOLE_NONCE = new RegExp(`^${NONCE}$`);
const SIGNATURE_CHARS = (SIGNATURE_BYTES / 3) * 4; // 384 is a multiple of three: no padding, one base64 form
const SIGNATURE = new RegExp(`^${LABEL}=:([A-Za-z0-9+/]{${SIGNATURE_CHARS}}):$`);

/** True for 128 bits or more of base64url. */
export function isNonce(text: string): boolean {
  return WHOLE_NONCE.test(text);
}

/** True for a boot id as a server gives them out. Long, so that two boots or two servers never share one. */
export function isBootId(text: string): boolean {
  return BOOT_ID.test(text);
}

/** True when both instants are sane and `expires`, if there, lies within the window after `created`. */
export function isLifetime(life: Pick<SignatureParameters, 'createdSeconds' | 'expiresSeconds'>): boolean {
  const { createdSeconds, expiresSeconds } = life;
  if (!Number.isSafeInteger(createdSeconds) || createdSeconds < 0) return false;
  if (expiresSeconds === undefined) return true;
  return expiresSeconds >= createdSeconds && expiresSeconds <= createdSeconds + SIGNATURE_WINDOW_MS / 1000;
}

/** The value of @signature-params, e.g. `("@method" …);created=1;nonce="…";keyid="…";alg="…";tag="…"`. */
export function writeParameters(parameters: SignatureParameters): string {
  const { createdSeconds, expiresSeconds, nonce, keyId } = parameters;
  const expires = expiresSeconds === undefined ? '' : `;expires=${expiresSeconds}`;
  return `${COMPONENT_LIST};created=${createdSeconds}${expires};nonce="${nonce}";keyid="${keyId}";alg="${ALGORITHM}";tag="${SIGNATURE_TAG}"`;
}

/** The value of the Signature-Input header. */
export function writeSignatureInput(parameters: SignatureParameters): string {
  return `${LABEL}=${writeParameters(parameters)}`;
}

/** The value of the Signature header. */
export function writeSignature(signature: Uint8Array): string {
  return `${LABEL}=:${Buffer.from(signature).toString('base64')}:`;
}

/**
 * Reads a Signature-Input header of our one form: the inverse of `writeSignatureInput`, and of nothing else. This is no
 * structured-field parser on purpose: a second label, component, parameter, order, spelling or space has no match.
 * @returns undefined for any other text
 */
export function readSignatureInput(header: string): SignatureParameters | undefined {
  if (!header.startsWith(PREFIX)) return undefined;
  const [, created, expires, nonce, keyId] = PARAMETERS.exec(header.slice(PREFIX.length)) ?? [];
  if (created === undefined || nonce === undefined || keyId === undefined) return undefined;
  return {
    createdSeconds: Number(created),
    expiresSeconds: expires === undefined ? undefined : Number(expires),
    nonce,
    keyId: parseKeyId(keyId),
  };
}

/** Reads a Signature header of our one form: one signature of 384 bytes. @returns undefined for any other text */
export function readSignature(header: string): Uint8Array | undefined {
  const base64 = SIGNATURE.exec(header)?.[1];
  return base64 === undefined ? undefined : new Uint8Array(Buffer.from(base64, 'base64'));
}
