import {
  type AuditEvent,
  type ChainProblem,
  type Checkpoint,
  chainVerifier,
  type Digest,
} from '@agent-runtime/domain';
import { verifyCheckpoint } from './audit-key.ts';

export interface AuditVerdict {
  readonly isIntact: boolean;
  readonly problems: readonly ChainProblem[];
  /** Records seen. */
  readonly count: number;
  readonly head: Digest;
}

/**
 * Verifies a whole log against signed heads.
 * @param events      oldest first
 * @param checkpoints signed heads from the file, a TUI's memory or a card; any order
 * @param publicKeyPem key that must have signed them
 * @param also         sees every record of the same pass
 */
export async function verifyAudit(input: {
  readonly events: AsyncIterable<AuditEvent>;
  readonly checkpoints: readonly Checkpoint[];
  readonly publicKeyPem: string;
  readonly also?: ((event: AuditEvent) => Promise<void>) | undefined;
}): Promise<AuditVerdict> {
  const verifier = chainVerifier(input.checkpoints, (checkpoint, bytes) =>
    verifyCheckpoint(input.publicKeyPem, checkpoint, bytes),
  );
  for await (const event of input.events) {
    verifier.add(event);
    await input.also?.(event);
  }
  const { problems, count, head } = verifier.finish();
  return { isIntact: problems.length === 0, problems, count, head };
}
