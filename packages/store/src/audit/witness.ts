import { renameSync } from 'node:fs';
import type { Checkpoint, Logger } from '@agent-runtime/domain';
import { writePrivateFile } from '../vault/index.ts';
import { type CheckpointFile, readCheckpoints } from './checkpoint-file.ts';

export interface WitnessInput {
  /** A file outside the data folder, usually beside the master key. */
  readonly path: string;
  /** Key of this data folder: the head of another folder is no witness. */
  readonly keyId: string;
  readonly log: Logger;
}

/**
 * Keeps the newest signed head outside the data folder as well, so that a whole older data folder that is put back, heads and all, is
 * noticed. Where it cannot be written the log says so and work goes on: the heads inside the folder still count.
 */
export function withWitness(file: CheckpointFile, input: WitnessInput): CheckpointFile {
  return {
    append: (checkpoint) => {
      file.append(checkpoint);
      try {
        writePrivateFile(input.path, `${JSON.stringify(checkpoint)}\n`);
      } catch (error) {
        input.log.warn(
          { room: 'audit', error: String(error) },
          'the audit head could not be kept outside the data folder',
        );
      }
    },
    read: () => {
      const inside = file.read();
      const witness = witnessOf(input);
      const isAhead = witness !== undefined && witness.seq > (inside.checkpoints.at(-1)?.seq ?? 0);
      return isAhead ? { ...inside, checkpoints: [...inside.checkpoints, witness] } : inside;
    },
    setAside: (suffix) => {
      if (witnessOf(input) !== undefined) renameSync(input.path, `${input.path}.${suffix}`);
      return file.setAside(suffix);
    },
  };
}

/** An unreadable or foreign witness says nothing: whoever can change it can also remove it. */
function witnessOf(input: WitnessInput): Checkpoint | undefined {
  try {
    const head = readCheckpoints(input.path).checkpoints.at(-1);
    return head?.keyId === input.keyId ? head : undefined;
  } catch {
    return undefined;
  }
}
