import { existsSync, readFileSync } from 'node:fs';
import { AppError, type Sealer } from '@agent-runtime/domain';
import { writePrivateFile } from '@agent-runtime/store';
import { z } from 'zod';

/** base64 of DER. */
const der = z.base64().min(1);
const keyPair = z.strictObject({ certificate: der, key: der });

const stateSchema = z.strictObject({
  version: z.literal(1),
  /** The CA that issues. */
  current: keyPair,
  /** Older CAs: their private keys are gone, what they issued counts until then (epoch ms). */
  others: z.array(z.strictObject({ certificate: der, until: z.int() })),
  /** Of the admin listener; may still be of an older CA, so that clients which know only that one find the way. */
  server: keyPair,
  /** Where Caddy stands in front: its own admin certificate, and the one by which it opens the hop to the runtime. */
  proxy: z.strictObject({ admin: keyPair, upstream: keyPair }).optional(),
});
export type AuthorityState = z.infer<typeof stateSchema>;
export type KeyPair = z.infer<typeof keyPair>;

/** The CA at rest: one file, sealed as a whole under the master key, replaced whole. */
export interface AuthorityFile {
  /** @throws AppError certificate.file.unavailable (damaged, or of another master key) */
  read(): AuthorityState | undefined;
  /** Durable when it returns. @throws AppError certificate.file.unavailable; the old file is still whole */
  write(state: AuthorityState): void;
}

/** @param path absolute, e.g. data/pki/authority.sealed */
export function authorityFile(path: string, sealer: Sealer): AuthorityFile {
  return {
    read: () => {
      if (!existsSync(path)) return undefined;
      try {
        return stateSchema.parse(JSON.parse(sealer.open(readFileSync(path, 'utf8'))));
      } catch (cause) {
        throw unusable(path, 'It cannot be opened: it was changed, or the master key is another one.', cause);
      }
    },
    write: (state) => {
      try {
        writePrivateFile(path, sealer.seal(JSON.stringify(state)));
      } catch (cause) {
        throw unusable(path, 'It cannot be written.', cause);
      }
    },
  };
}

function unusable(path: string, what: string, cause: unknown): AppError {
  return new AppError({
    code: 'certificate.file.unavailable',
    kind: 'unavailable',
    message: `The CA in ${path} cannot be used. ${what} Put it back from a backup; without one remove it, and everybody enrols again.`,
    cause,
  });
}
