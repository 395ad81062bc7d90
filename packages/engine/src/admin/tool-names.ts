import { AppError, oneLine } from '@agent-runtime/domain';
import type { AdminDeps } from './deps.ts';

/**
 * A list of tools may only name tools that there are, or `*`: a misspelt name would silently allow nothing.
 * @throws AppError tool.name.invalid with the names that are known
 */
export function requireTools(
  deps: Pick<AdminDeps, 'tools'>,
  names: readonly string[] | null | undefined,
): void {
  const known = deps.tools.map((tool) => tool.name).sort();
  const strange = (names ?? []).find((name) => name !== '*' && !known.includes(name));
  if (strange === undefined) return;
  throw new AppError({
    code: 'tool.name.invalid',
    kind: 'invalid',
    message: `There is no tool "${oneLine(strange, 60)}". There are ${known.join(', ')}, and * for all.`,
  });
}
