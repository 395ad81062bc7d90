import { hkdfSync } from 'node:crypto';

/** What a key is for; keys of different purposes tell nothing of each other. */
export type KeyPurpose = 'vault' | 'vault-mac' | 'audit-key' | 'projector-mac' | 'row-seal';

/** A 32-byte key for one purpose: HKDF-SHA-256 of the master key. */
export function deriveKey(masterKey: Uint8Array, purpose: KeyPurpose): Buffer {
  return Buffer.from(hkdfSync('sha256', masterKey, 'agent-runtime v1', `agent-runtime ${purpose}`, 32));
}
