import type {
  AdminParsed,
  AdminReply,
  AdminRouteName,
  AuditCheck,
  ConfigFiles,
  Sealer,
  SecretVault,
  SignatureCheck,
  UserId,
} from '@agent-runtime/domain';
import type { Actor, Engine, EngineDeps } from '../api.ts';
import type { HeldRevocations } from './held.ts';

/** An invite as packages/pki makes it. */
export interface MadeInvite {
  readonly code: string;
  readonly inviteId: string;
  /** base64url of the key derived from the code; kept sealed. */
  readonly proofKey: string;
  readonly expiresAtMs: number;
}

/** What a client says to enrol: it knows the code and holds this key. */
export interface EnrolClaim {
  readonly inviteId: string;
  readonly proofKey: string;
  readonly expiresAtMs: number;
  /** base64url of a certificate request, PKCS#10 DER. */
  readonly request: string;
  /** base64url */
  readonly proof: string;
  readonly nowMs: number;
}

/** A public key whose holder has just proved to hold it. */
export interface ProvedKey {
  readonly keyId: string;
  readonly publicKeyPem: string;
}

/** The cryptography of packages/pki, handed in because this floor does not import it. */
export interface KeyCheck {
  /** @param caFingerprint SHA-256 of the CA, hex: the code carries the beginning of it */
  newInvite(at: { readonly nowMs: number; readonly caFingerprint: string }): MadeInvite;
  /** @throws AppError invite.proof.unauthenticated, certificate.request.*, key.* */
  proveEnrolment(claim: EnrolClaim): ProvedKey;
  /** @throws AppError certificate.request.*, key.* */
  proveRequest(request: string): ProvedKey;
  /** base64url: the server knows the code as well, took in this very key and gave this very answer. */
  serverProof(
    invite: { readonly inviteId: string; readonly proofKey: string },
    answer: Omit<AdminReply<'key.enrol'>, 'proof'>,
  ): string;
  /** The one answer for every invite that cannot be used. */
  refusedInvite(): Error;
  /** @throws AppError signature.decision.unauthenticated */
  verifyDecision(input: {
    readonly publicKeyPem: string;
    readonly canonical: string;
    /** base64 */
    readonly signature: string;
  }): void;
  /** For signatures that the log keeps. */
  readonly kept: SignatureCheck;
  /** base64 of the public key as SPKI DER, the form in which the log keeps it. @throws AppError key.* */
  publicKeyText(publicKeyPem: string): string;
}

/** A certificate as the CA made it. */
export interface IssuedCertificate {
  /** Serial, lower-case hex. */
  readonly id: string;
  readonly pem: string;
  readonly issuer: string;
  readonly createdAt: number;
  readonly expiresAt: number;
}

/** A CA whose certificates count at the TLS door. */
export interface TrustedCa {
  /** SHA-256 of its certificate, lower-case hex. */
  readonly fingerprint: string;
  readonly pem: string;
  readonly isCurrent: boolean;
  readonly expiresAt: number;
}

/** A person's certificate as alarms speak of it. */
export interface WatchedCertificate {
  readonly name: string;
  readonly createdAt: number;
  readonly expiresAt: number;
}

/** The internal CA. Audited by the caller before it is asked; its private keys never leave it. */
export interface CertificateAuthority {
  issue(request: {
    readonly publicKeyPem: string;
    readonly user: UserId;
    readonly nowMs: number;
  }): Promise<IssuedCertificate>;
  /** The current one first. */
  trusted(nowMs: number): Promise<readonly TrustedCa[]>;
  /**
   * A new CA issues from now on. The old one counts until what it gave out is over, or not any more.
   * @throws AppError certificate.file.unavailable
   */
  rotate(how: { readonly nowMs: number; readonly keepOld: boolean }): Promise<void>;
  /** What ends soon: the CAs, the listener's own certificates, and these of people. In words, soonest first. */
  alarms(people: readonly WatchedCertificate[], nowMs: number): Promise<readonly string[]>;
  /** Where the admin API listens with TLS, e.g. https://127.0.0.1:8443. */
  adminUrl(): string | undefined;
}

/** What the process says about itself. */
export interface About {
  /** Made with the data folder, stays the same for its life. */
  readonly instanceId: string;
  readonly version: string;
  /** 16 to 128 of letters, digits, `-` and `_`; fresh at each start. */
  readonly bootId: string;
  readonly startedAtMs: number;
}

/** The pull connectors that carry answers of the two doors without a chat platform. */
export interface Doors {
  readonly http: { readonly connector: string; readonly account: string };
  readonly cli: { readonly connector: string; readonly account: string };
}

/** Everything the admin plane touches. */
export interface AdminDeps extends EngineDeps {
  readonly engine: Engine;
  readonly vault: SecretVault;
  readonly sealer: Sealer;
  readonly auditCheck: AuditCheck;
  readonly configFiles: ConfigFiles;
  readonly keys: KeyCheck;
  readonly authority: CertificateAuthority;
  readonly about: About;
  readonly doors: Doors;
  /** Where revocations go that the disk refuses; `store.read` looks there. */
  readonly held?: HeldRevocations | undefined;
}

/** One handler per route of the contract. */
export type AdminHandler<N extends AdminRouteName> = (
  deps: AdminDeps,
  actor: Actor,
  input: AdminParsed<N>,
) => Promise<AdminReply<N>>;

export type AdminTable = { readonly [N in AdminRouteName]: AdminHandler<N> };
/** The part of the table that one noun serves. */
export type AdminPart<N extends AdminRouteName> = Pick<AdminTable, N>;
