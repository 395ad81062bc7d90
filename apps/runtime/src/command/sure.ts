import { AppError } from '@agent-runtime/domain';
import type { World } from './world.ts';

/** A question that must be answered with yes before a command goes on. */
export interface SureQuestion {
  /** Said with --yes. */
  readonly isSure: boolean;
  readonly question: string;
  /** Name of the command, e.g. `rebuild`. */
  readonly command: 'setup' | 'rebuild';
  /** What holds after a no, e.g. `Nothing was changed.` */
  readonly after: string;
}

/**
 * Goes on only after a yes.
 * @throws AppError runtime.<command>.invalid (nobody is at the terminal to ask) · runtime.<command>.denied (somebody said no)
 */
export async function beSure(
  world: World,
  { isSure, question, command, after }: SureQuestion,
): Promise<void> {
  if (isSure) return;
  const answer = await world.confirm(question);
  if (answer === true) return;
  if (answer === undefined) {
    throw new AppError({
      code: `runtime.${command}.invalid`,
      kind: 'invalid',
      message: `${after} There is no terminal to ask on. Look at the question, then run: agent-runtime ${command} --yes\n${question}`,
    });
  }
  throw new AppError({ code: `runtime.${command}.denied`, kind: 'denied', message: after });
}
