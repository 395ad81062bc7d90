import { decide, type Label } from '@agent-runtime/domain';
import type { EngineDeps } from '../api.ts';
import { policyRules } from '../effect/rules.ts';
import type { RunPlace } from '../run/session.ts';

/**
 * May words of this label be shown there now, before they are an answer? Asked before every frame: panic, the gate, the rights of who
 * asked, what the place may read and what it wants to hear can each be another than a second ago.
 */
export async function mayShow(deps: EngineDeps, place: RunPlace, label: Label): Promise<boolean> {
  const rules = await policyRules(deps, deps.store.read, place.context.id);
  if (rules.settings?.output !== 'all') return false;
  const { requester, door } = place.task;
  const asks = decide({ action: 'task.create', principal: requester, door, isAddressed: true }, rules);
  const shows = decide({ action: 'effect.show', class: 'E0', label }, rules);
  return asks.kind === 'permit' && shows.kind === 'permit' && !deps.panic.isOn();
}
