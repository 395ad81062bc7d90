import type {
  AdminParsed,
  AdminReply,
  AdminRouteName,
  AuditCheck,
  ConfigFiles,
  Sealer,
  SecretVault,
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
  /** base64url of the public key, SPKI DER. */
  readonly spki: string;
  /** base64url */
  readonly proof: string;
  readonly nowMs: number;
}

/** The cryptography of packages/pki, handed in because this floor does not import it. */
export interface KeyCheck {
  newInvite(nowMs: number): MadeInvite;
  /**
   * @returns id and PEM of the proved key
   * @throws AppError invite.proof.unauthenticated, key.*
   */
  proveEnrolment(claim: EnrolClaim): { readonly keyId: string; readonly publicKeyPem: string };
  /** base64url: the server knows the code as well, and took in this very key. */
  serverProof(invite: { readonly inviteId: string; readonly proofKey: string }, keyId: string): string;
  /** The one answer for every invite that cannot be used. */
  refusedInvite(): Error;
  /** @throws AppError signature.decision.unauthenticated */
  verifyDecision(input: {
    readonly publicKeyPem: string;
    readonly canonical: string;
    /** base64 */
    readonly signature: string;
  }): void;
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
