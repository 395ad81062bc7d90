import {
  type Approval,
  describeLabel,
  type Effect,
  type EffectDetail,
  type EffectRow,
  type StoreReader,
  toInstant,
  toInstantIf,
} from '@agent-runtime/domain';
import type { Actor } from '../api.ts';
import { demand, EVERYTHING, type Viewer, viewerOf } from './authorize.ts';
import type { AdminDeps, AdminPart } from './deps.ts';
import { bytesFor, isIntact, mayKnow, plain, summaryFor } from './effect-view.ts';
import { findById } from './find.ts';
import { pageOf } from './page.ts';

const SCANNED_ROWS = 2_000;
const NEWEST_FIRST = { orderBy: 'createdAt', direction: 'desc', limit: SCANNED_ROWS } as const;

/** Effects: what leaves, what left, and what nobody knows. */
export const EFFECT: AdminPart<'effect.list' | 'effect.show' | 'effect.resolve'> = {
  'effect.list': async (deps, actor, { workspace, state, before, limit }) => {
    const viewer = await signedViewer(deps, actor);
    const { read } = deps.store;
    const where = {
      ...(workspace === undefined ? {} : { workspace: workspace as Effect['workspace'] }), // safe: only compared with ids in the table
      ...(state === undefined ? {} : { state }),
    };
    const rows = await pageOf(
      {
        noun: 'effect',
        get: (id) => read.get('effect', { id: id as Effect['id'] }), // safe: only compared with ids in the table
        isVisible: async (row) => mayKnow(viewer, row, await approvalOfEffect(read, row)),
        find: (from) => read.find('effect', { ...where, ...from }, NEWEST_FIRST),
      },
      before,
    );
    const items: EffectRow[] = [];
    for (const effect of rows) {
      const approval = await approvalOfEffect(read, effect);
      if (items.length < limit && mayKnow(viewer, effect, approval))
        items.push(effectRow(viewer, effect, approval));
    }
    return { items };
  },
  'effect.show': async (deps, actor, { id }) => {
    const viewer = await signedViewer(deps, actor);
    return effectDetail(deps, viewer, await visibleEffect(deps.store.read, viewer, id));
  },
  'effect.resolve': async (deps, actor, { id, outcome }) => {
    const viewer = await signedViewer(deps, actor);
    const effect = await visibleEffect(deps.store.read, viewer, id);
    await demand(deps, viewer, 'effect.resolve', {
      kind: 'context',
      workspace: effect.workspace,
      context: effect.context,
    });
    await deps.engine.resolve(effect.id, outcome, actor);
    return { ok: true, message: `${effect.id} counts as ${outcome}.` };
  },
};

/** Looking at work needs a person: the local socket shows counts, not texts. */
export async function signedViewer(deps: AdminDeps, actor: Actor): Promise<Viewer> {
  const viewer = await viewerOf(deps, actor);
  if (actor.via !== 'signed') await demand(deps, viewer, 'effect.read', EVERYTHING);
  return viewer;
}

export async function approvalOfEffect(reader: StoreReader, effect: Effect): Promise<Approval | undefined> {
  return effect.approval === undefined ? undefined : reader.get('approval', { id: effect.approval });
}

async function visibleEffect(reader: StoreReader, viewer: Viewer, id: string): Promise<Effect> {
  return findById(reader, {
    table: 'effect',
    noun: 'effect',
    text: id,
    isVisible: async (effect) => mayKnow(viewer, effect, await approvalOfEffect(reader, effect)),
  });
}

function effectRow(viewer: Viewer, effect: Effect, approval: Approval | undefined): EffectRow {
  return {
    id: effect.id,
    kind: effect.kind,
    class: effect.class,
    state: effect.state,
    summary: summaryFor(viewer, effect, approval),
    workspace: effect.workspace,
    context: effect.context,
    approval: effect.approval,
    created_at: toInstant(effect.createdAt),
  };
}

async function effectDetail(deps: AdminDeps, viewer: Viewer, effect: Effect): Promise<EffectDetail> {
  const approval = await approvalOfEffect(deps.store.read, effect);
  return {
    ...effectRow(viewer, effect, approval),
    digest: effect.digest,
    is_intact: isIntact(effect),
    label: describeLabel(effect.label),
    ...bytesFor(viewer, effect, approval),
    attempts: effect.attempts,
    receipts: effect.receipts.map(plain),
    error: effect.error === undefined ? undefined : { ...effect.error },
    settled_at: toInstantIf(effect.settledAt),
  };
}
