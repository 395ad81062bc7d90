import { existsSync, readFileSync, renameSync } from 'node:fs';
import { AppError, type Checkpoint, digestSchema } from '@agent-runtime/domain';
import { z } from 'zod';
import { instanceFolder, writePrivate } from './key-store.ts';

/** The newest signed head that this machine has seen of a runtime's log, and the key that signs them. All of it is public. */
export interface Witness {
  readonly checkpoint: Checkpoint;
  /** PEM */
  readonly publicKey: string;
}

/** One witness for each instance, beside its client key. */
export interface WitnessStore {
  /** @throws AppError tui.witness.invalid for a damaged file: it may be the trace of somebody, and is never taken for none */
  read(instanceId: string): Witness | undefined;
  /** @throws AppError tui.witness.unavailable */
  write(instanceId: string, witness: Witness): void;
  /** Keeps the present one beside as evidence, also a damaged one, and starts with another. */
  replace(instanceId: string, witness: Witness): void;
  /** Ids of the client keys seen at the last look; undefined before the first. */
  keysSeen(instanceId: string): readonly string[] | undefined;
  rememberKeys(instanceId: string, ids: readonly string[]): void;
}

const fileSchema = z.strictObject({
  public_key: z.string(),
  checkpoint: z.strictObject({
    seq: z.int().min(0),
    hash: digestSchema,
    at: z.int(),
    key_id: z.string(),
    signature: z.string(),
  }),
});

/** @param configDir absolute; `<configDir>/<instance id>/witness.json`, mode 0600 */
export function witnessStore(configDir: string): WitnessStore {
  const pathOf = (instanceId: string): string => `${instanceFolder(configDir, instanceId)}/witness.json`;
  const keysPath = (instanceId: string): string => `${instanceFolder(configDir, instanceId)}/keys-seen.json`;
  const write = (instanceId: string, { checkpoint, publicKey }: Witness): void => {
    const { seq, hash, at, keyId, signature } = checkpoint;
    const file = { public_key: publicKey, checkpoint: { seq, hash, at, key_id: keyId, signature } };
    keep(pathOf(instanceId), file);
  };
  return {
    read: (instanceId) => {
      const path = pathOf(instanceId);
      return existsSync(path) ? readWitness(path) : undefined;
    },
    write,
    replace: (instanceId, witness) => {
      const path = pathOf(instanceId);
      if (existsSync(path)) renameSync(path, `${path}.old`);
      write(instanceId, witness);
    },
    keysSeen: (instanceId) => {
      const path = keysPath(instanceId);
      return existsSync(path) ? readKeys(path) : undefined;
    },
    rememberKeys: (instanceId, ids) => keep(keysPath(instanceId), { keys: ids }),
  };
}

/** What cannot be remembered is not signed. */
function keep(path: string, file: object): void {
  try {
    writePrivate(path, `${JSON.stringify(file, null, 2)}\n`);
  } catch (cause) {
    throw new AppError({
      code: 'tui.witness.unavailable',
      kind: 'unavailable',
      message: `${path} could not be written, so this machine would forget what it saw of the log. Make room there, then run the command again.`,
      cause,
    });
  }
}

/** A damaged list is an empty one: then every key is told once more. */
function readKeys(path: string): readonly string[] {
  try {
    return z.strictObject({ keys: z.array(z.string()) }).parse(JSON.parse(readFileSync(path, 'utf8'))).keys;
  } catch {
    return [];
  }
}

function readWitness(path: string): Witness {
  try {
    const { public_key: publicKey, checkpoint } = fileSchema.parse(JSON.parse(readFileSync(path, 'utf8')));
    const { key_id: keyId, ...head } = checkpoint;
    return { publicKey, checkpoint: { ...head, keyId } };
  } catch (cause) {
    throw new AppError({
      code: 'tui.witness.invalid',
      kind: 'invalid',
      message: `${path} is damaged: this machine cannot tell any more whether the log is the one it saw. Compare the head with another person’s machine, then: agent-runtime audit trust.`,
      cause,
    });
  }
}
