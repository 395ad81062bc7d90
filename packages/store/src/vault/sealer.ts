import { AppError, type Sealer } from '@agent-runtime/domain';
import { deriveKey } from './derived-key.ts';
import { seal, unseal } from './seal.ts';

const NAME = 'agent-runtime row v1';

/** Seals small values for rows of the database. `open` throws vault.value.denied for another key or a changed value. */
export function makeSealer(masterKey: Uint8Array): Sealer {
  const key = deriveKey(masterKey, 'row-seal');
  return {
    seal: (plain) => seal(key, NAME, Buffer.from(plain, 'utf8')),
    open: (sealed) => {
      const plain = unseal(key, NAME, sealed);
      if (plain !== undefined) return plain.toString('utf8');
      throw new AppError({
        code: 'vault.value.denied',
        kind: 'denied',
        message: 'A sealed value cannot be opened: the master key is another one, or the value was changed.',
      });
    },
  };
}
