import type { LiveEvent } from '@agent-runtime/domain';
import type { Actor } from '../api.ts';
import { contextScope, EVERYTHING, viewerOf, workspaceScope } from './authorize.ts';
import type { AdminDeps } from './deps.ts';

/** Topics of the feed that people may watch; topics of single runs have a stream of their own. */
export const WATCHED_TOPICS = ['effects', 'approvals', 'runs', 'health'] as const;

/** Topic on which doors hear that a principal lost something: open streams of theirs are looked at again at once. */
export const REVOKED_TOPIC = 'identity';

/** Ends running work of a principal and tells the doors. Call it after the commit that took something away. */
export async function cutOff(deps: AdminDeps, principalKey: string): Promise<void> {
  deps.live.publish({ topic: REVOKED_TOPIC, kind: 'revoked', data: { principal: principalKey } });
  await deps.engine.revoked(principalKey);
}

/** May this actor see that event now? Facts of a place need its staff; facts of the appliance a role on everything. */
export async function mayWatch(deps: AdminDeps, actor: Actor, event: LiveEvent): Promise<boolean> {
  if (actor.via !== 'signed') return false;
  const viewer = await viewerOf(deps, actor);
  const { workspace, context } = event.data;
  if (typeof workspace !== 'string') return viewer.may('status.read', EVERYTHING);
  return viewer.may(
    'effect.read',
    typeof context === 'string' ? contextScope({ workspace, context }) : workspaceScope(workspace),
  );
}
