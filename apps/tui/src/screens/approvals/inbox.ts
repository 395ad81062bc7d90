import { type ApprovalRow, TIERS } from '@agent-runtime/domain';
import { mistake } from '../../app/dialog.ts';

/** Risk first, then the one that waits longest. */
export function byRiskThenAge(rows: readonly ApprovalRow[]): readonly ApprovalRow[] {
  return [...rows].sort(
    (one, other) =>
      TIERS.indexOf(other.tier) - TIERS.indexOf(one.tier) ||
      (one.created_at < other.created_at ? -1 : one.created_at > other.created_at ? 1 : 0),
  );
}

/**
 * Several questions may be answered together only when they are alike, so that nobody waves something through that they took for
 * something else; the dangerous ones are looked at one by one.
 * @throws AppError tui.input.invalid, with what to do instead
 */
export function demandOneClass(rows: readonly Pick<ApprovalRow, 'kind' | 'tier'>[]): void {
  if (rows.some((row) => row.tier === 'high'))
    throw mistake('A question of tier high is answered alone: open it with enter.');
  const classes = [...new Set(rows.map((row) => `${row.kind} (${row.tier})`))];
  if (classes.length > 1)
    throw mistake(`Only questions of one class are answered together; marked are ${classes.join(', ')}.`);
}
