import type { Approval, ApprovalId, Clock } from '@agent-runtime/domain';

/** Ends of open questions on the clock that never goes back. */
export interface Deadlines {
  /**
   * Notes the questions that are open now and forgets all others.
   * @returns those whose lifetime has passed by the monotonic clock, whatever the wall clock says
   */
  passed(open: readonly Approval[]): ReadonlySet<ApprovalId>;
}

/**
 * A wall clock that is set back must not keep a question open: what was first seen in this boot ends after the time that was left then, or
 * after its whole lifetime where the wall clock claims more. Kept in memory: after a restart the time that is left counts anew.
 */
export function makeDeadlines(clock: Clock): Deadlines {
  const ends = new Map<ApprovalId, number>();
  const firstSight = ({ createdAt, expiresAt }: Approval): number =>
    clock.monotonicMs() + Math.min(expiresAt - createdAt, expiresAt - clock.nowMs());
  return {
    passed: (open) => {
      const ids = new Set(open.map((approval) => approval.id));
      for (const id of ends.keys()) if (!ids.has(id)) ends.delete(id);
      for (const approval of open) if (!ends.has(approval.id)) ends.set(approval.id, firstSight(approval));
      const now = clock.monotonicMs();
      return new Set([...ids].filter((id) => !(now < (ends.get(id) ?? 0))));
    },
  };
}
