import type { ContextId, Digest, TokenId, UserId, WorkspaceId } from '../base/index.ts';

/** An HTTP token: one principal (at most member) in one workspace. Only the hash of its secret is kept. */
export interface HttpToken {
  readonly id: TokenId;
  readonly name: string;
  readonly secretHash: Digest;
  readonly workspace: WorkspaceId;
  /** The closed context in which its runs happen. */
  readonly context: ContextId;
  readonly owner: UserId;
  readonly createdAt: number;
  readonly expiresAt?: number | undefined;
  readonly revokedAt?: number | undefined;
}

export function isUsable(token: HttpToken, nowMs: number): boolean {
  return token.revokedAt === undefined && (token.expiresAt === undefined || nowMs < token.expiresAt);
}

/** A registered client key of a person; signed admin requests are checked against it. */
export interface ClientKey {
  /** Thumbprint: base64url of SHA-256 over the public key's DER. */
  readonly id: string;
  readonly user: UserId;
  readonly publicKeyPem: string;
  readonly name: string;
  readonly createdAt: number;
  readonly revokedAt?: number | undefined;
}

/** A client certificate that the internal CA gave out: it opens the TLS door, the key in it signs each request. */
export interface ClientCertificate {
  /** Serial number, lower-case hex. */
  readonly id: string;
  /** The `ClientKey` it is about. */
  readonly key: string;
  readonly user: UserId;
  /** SHA-256 of the CA's certificate, lower-case hex. */
  readonly issuer: string;
  readonly createdAt: number;
  readonly expiresAt: number;
  readonly revokedAt?: number | undefined;
}

/** One outside account linked to a user by pairing; `externalId` is the platform's immutable id. */
export interface Identity {
  readonly id: string;
  readonly connector: string;
  readonly externalId: string;
  readonly user: UserId;
  readonly displayName: string;
  readonly createdAt: number;
  /** The direct talk that was bound with it, and ends with it. */
  readonly context?: ContextId | undefined;
  /** When this person agreed that the admin hub shows what is said in their direct talk. */
  readonly mirrorAgreedAt?: number | undefined;
}

/** One-time enrolment code, kept as the key derived from it; user is fixed here, never by the request. */
export interface Invite {
  readonly id: string;
  readonly user: UserId;
  readonly proofKey: string;
  readonly createdAt: number;
  readonly expiresAt: number;
  readonly usedAt?: number | undefined;
}
