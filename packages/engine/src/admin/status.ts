import { type Context, type Hello, type Status, toInstant, type WorkspaceId } from '@agent-runtime/domain';
import type { Actor } from '../api.ts';
import { currentHead } from '../approval/head.ts';
import { contextScope, demand, EVERYTHING, isOthersDirect, type Viewer, viewerOf } from './authorize.ts';
import type { AdminDeps, AdminPart } from './deps.ts';
import { reachableWorkspaces } from './place.ts';
import { spentIn } from './spent.ts';
import { panicState, readGate } from './switch.ts';

const DAY_MS = 86_400_000;

/** How the appliance is, what waits, and what a client needs before it can sign. */
export const STATUS: AdminPart<'hello.read' | 'status.read' | 'model.list'> = {
  'hello.read': async (deps) => hello(deps),
  'status.read': readStatus,
  'model.list': async (deps, actor) => {
    await seenWorkspaces(deps, await viewerOf(deps, actor));
    return {
      items: deps.routes.map((route) => ({
        name: route.name,
        provider: route.provider,
        model: route.model,
        task_kinds: [...route.taskKinds],
        context_tokens: route.contextTokens,
      })),
    };
  },
};

function hello(deps: AdminDeps): Hello {
  return {
    instance_id: deps.about.instanceId,
    version: deps.about.version,
    boot_id: deps.about.bootId,
    server_time: toInstant(deps.clock.nowMs()),
  };
}

/** Counts are over the contexts that the asker may see; the local socket sees them all, for it is the host. */
async function readStatus(deps: AdminDeps, actor: Actor): Promise<Status> {
  const viewer = await viewerOf(deps, actor);
  const workspaces = await seenWorkspaces(deps, viewer);
  const { read } = deps.store;
  const contexts = await read.find('context', { workspace: { in: workspaces } });
  const seen = contexts.filter((one) => mayCount(viewer, one)).map((one) => one.id);
  const isAll = seen.length === contexts.length;
  const here = isAll ? { workspace: { in: workspaces } } : { context: { in: seen } };
  const today = startOfDay(deps.clock.nowMs());
  const health = deps.engine.health();
  const gate = await readGate(deps);
  return {
    version: deps.about.version,
    instance_id: deps.about.instanceId,
    ready: health.isReady && !gate.closed,
    reasons: [...health.reasons, ...(gate.closed ? ['the gate is closed'] : [])],
    up_since: toInstant(deps.about.startedAtMs),
    panic: panicState(deps),
    gate,
    runs: {
      queued: await read.count('run', { ...here, state: 'queued' }),
      running: await read.count('run', { ...here, state: { in: ['running', 'aborting'] } }),
      failed_today: await read.count('run', { ...here, state: 'failed', finishedAt: { gte: today } }),
    },
    approvals_pending: await read.count('approval', { ...here, state: 'pending' }),
    effects_uncertain: await read.count('effect', { ...here, state: 'uncertain' }),
    ...(await spentIn(deps, {
      workspaces,
      contexts: isAll ? undefined : new Set<string>(seen),
      sinceMs: today,
    })),
    ...(await houseFacts(deps, viewer)),
    audit_head: await currentHead(deps.audit),
    models: deps.routes.map((route) => route.name),
  };
}

async function seenWorkspaces(deps: AdminDeps, viewer: Viewer): Promise<readonly WorkspaceId[]> {
  const seen = await reachableWorkspaces(deps.store.read, viewer, 'status.read');
  if (seen.length === 0) await demand(deps, viewer, 'status.read', EVERYTHING);
  return seen.map((workspace) => workspace.id);
}

/** What concerns the whole appliance, for those with a role on everything. */
async function houseFacts(deps: AdminDeps, viewer: Viewer): Promise<Pick<Status, 'connectors' | 'notices'>> {
  if (!viewer.may('status.read', EVERYTHING)) return {};
  const notices = await deps.authority.alarms([], deps.clock.nowMs());
  const leaving = await deps.store.read.find('effect', { state: 'approved' });
  const connectors = deps.connectors
    .filter((one) => one.delivery === 'push')
    .map(({ name, account }) => {
      const own = leaving.filter(({ sink }) => sink.connector === name && sink.account === account);
      const isFailing = own.some((effect) => effect.attempts > 0 && effect.error !== undefined);
      return { name, account, waiting: own.length, is_failing: isFailing };
    });
  return { connectors, ...(notices.length === 0 ? {} : { notices: [...notices] }) };
}

/** A number tells of what it counts: it leaves out contexts that are closed to the asker, and direct talks of others unless the asker is staff there. */
function mayCount(viewer: Viewer, context: Context): boolean {
  const place = contextScope({ workspace: context.workspace, context: context.id });
  if (!viewer.may('status.read', place)) return false;
  const isHost = viewer.actor.via === 'socket';
  return isHost || !isOthersDirect(viewer, context) || viewer.may('task.read', place);
}

function startOfDay(nowMs: number): number {
  return nowMs - (nowMs % DAY_MS);
}
