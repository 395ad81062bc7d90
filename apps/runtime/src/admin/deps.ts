import type { AdminDeps } from '@agent-runtime/engine';
import type { Authority } from '../authority/authority.ts';

/** Joined and running parts that the admin door needs. The cryptography is the door's own business. */
export type AdminParts = Omit<AdminDeps, 'keys'>;

/** How a request comes in. */
export type Transport =
  /** The local unix socket: a few routes may be asked unsigned. */
  | { readonly kind: 'socket' }
  /** TLS: every request is signed, and the connection was opened with a certificate that is checked again here. */
  | {
      readonly kind: 'network';
      /** Who opens the connection: the client itself, or Caddy, which shows its own certificate and hands the client's on. */
      readonly hop: 'direct' | 'proxy';
      /** What signatures must name as @authority, e.g. `admin.example:8443`. */
      readonly authority: () => string;
      readonly ca: Pick<Authority, 'verifyClient' | 'verifyProxy' | 'trusted'>;
    };

export interface AdminAppInput {
  readonly parts: AdminParts;
  readonly transport: Transport;
}
