import type { AdminDeps } from '@agent-runtime/engine';

/** Joined and running parts that the admin door needs. The cryptography is the door's own business. */
export type AdminParts = Omit<AdminDeps, 'keys'>;

export interface AdminAppInput {
  readonly parts: AdminParts;
  /**
   * `socket`: the local unix socket; a few routes may be asked unsigned. `network`: every request is signed.
   */
  readonly transport: 'socket' | 'network';
  /** What signatures must name as @authority on the network, e.g. `admin.example:8443`; the socket has a fixed one. */
  readonly authority?: string;
  /** The CA that invited clients are to trust now, 64 hex digits; see `makeKeyCheck`. */
  readonly caFingerprint?: () => string;
}
