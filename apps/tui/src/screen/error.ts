import { ERROR_KINDS, errorEnvelope, showHidden, toAppError, toPublicError } from '@agent-runtime/domain';
import type { CommandRun } from '../cli/command.ts';

/**
 * Tells about an error: with --json its envelope on standard output, else a sentence on standard error.
 * @returns exit code of its kind
 */
export function reportError(run: CommandRun, thrown: unknown): number {
  const error = toAppError(thrown, 'this command');
  if (run.json) run.world.out(`${JSON.stringify(errorEnvelope(toPublicError(error)))}\n`);
  else run.world.err(`${showHidden(error.message)}\n`);
  // An invariant of the command line itself has no server log to look into.
  if (error.kind === 'bug' && typeof error.detail === 'string')
    run.world.err(`${showHidden(error.detail)}\n`);
  return ERROR_KINDS[error.kind].exit;
}
