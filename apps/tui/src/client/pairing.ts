import type { IdentityRow, Role } from '@agent-runtime/domain';
import type { AdminClient } from './client.ts';

/** Somebody outside who asked to be linked with a person here. */
export interface PendingPairing {
  readonly id: string;
  readonly connector: string;
  /** Their account's number or name there. */
  readonly external_id: string;
  readonly display_name: string;
  readonly created_at: string;
  readonly expires_at: string;
}

/** Who they are to be, and what they may do where. */
export interface PairingChoice {
  readonly code: string;
  readonly user: string;
  readonly create_user?: true;
  readonly role: Role;
  readonly scope: string;
  /** ISO instant. */
  readonly expires_at?: string;
}

/** Pairing as the screen needs it. */
export interface PairingClient {
  list(): Promise<readonly PendingPairing[]>;
  /** @throws AppError of kind missing for a code that is wrong or spent */
  show(code: string): Promise<PendingPairing>;
  approve(choice: PairingChoice): Promise<IdentityRow>;
}

/** Pairing over the admin API. */
export function pairingOver(connect: () => Promise<AdminClient>): PairingClient {
  return {
    list: async () => (await (await connect()).call('pair.list', {})).items,
    show: async (code) => (await connect()).call('pair.show', { code }),
    approve: async (choice) => (await connect()).call('pair.approve', { ...choice }),
  };
}
