import {
  type Approval,
  type ApprovalDetail,
  type ApprovalRow,
  describeLabel,
  type Effect,
  missingReleases,
  toInstant,
} from '@agent-runtime/domain';
import type { Actor } from '../api.ts';
import { currentHead } from '../approval/head.ts';
import type { Viewer } from './authorize.ts';
import type { AdminDeps, AdminPart } from './deps.ts';
import { signedViewer } from './effect.ts';
import { bytesFor, diffFor, isIntact, mayKnow, requesterName, summaryFor } from './effect-view.ts';
import { findById, missing, namesOf } from './find.ts';
import { pageOf } from './page.ts';
import { provedVote } from './vote.ts';
import { reasonTexts } from './words.ts';

const SCANNED_ROWS = 2_000;
const NEWEST_FIRST = { orderBy: 'createdAt', direction: 'desc', limit: SCANNED_ROWS } as const;

/** Questions to people, shown with the exact bytes, and their signed answers. */
export const APPROVAL: AdminPart<
  | 'approval.list'
  | 'approval.show'
  | 'approval.grant'
  | 'approval.deny'
  | 'approval.release'
  | 'approval.withdraw'
  | 'approval.edit'
> = {
  'approval.list': async (deps, actor, { workspace, state, before, limit }) => {
    const viewer = await signedViewer(deps, actor);
    const { read } = deps.store;
    const where = {
      ...(state === 'all' ? {} : { state: state ?? 'pending' }),
      ...(workspace === undefined ? {} : { workspace: workspace as Approval['workspace'] }), // safe: only compared with ids in the table
    } as const;
    const rows = await pageOf(
      {
        noun: 'approval',
        get: (id) => read.get('approval', { id: id as Approval['id'] }), // safe: only compared with ids in the table
        isVisible: async (row) => {
          const effect = await read.get('effect', { id: row.effect });
          return effect !== undefined && mayKnow(viewer, effect, row);
        },
        find: (from) => read.find('approval', { ...where, ...from }, NEWEST_FIRST),
      },
      before,
    );
    const nameOf = await namesOf(read);
    const items: ApprovalRow[] = [];
    for (const approval of rows) {
      const effect = await read.get('effect', { id: approval.effect });
      if (items.length < limit && effect !== undefined && mayKnow(viewer, effect, approval))
        items.push(approvalRow(viewer, { approval, effect }, nameOf));
    }
    return { items };
  },
  'approval.show': async (deps, actor, { id }) => {
    const viewer = await signedViewer(deps, actor);
    return approvalDetail(deps, viewer, await visibleApproval(deps, viewer, id));
  },
  'approval.grant': async (deps, actor, vote) => {
    const { approval, signed } = await prepareVote(deps, actor, vote, 'grant');
    await deps.engine.approve(approval.id, vote.digest, signed);
    return showAgain(deps, actor, approval.id);
  },
  'approval.deny': async (deps, actor, vote) => {
    const { approval, signed } = await prepareVote(deps, actor, vote, 'deny');
    await deps.engine.deny(approval.id, vote.reason ?? '', signed);
    return showAgain(deps, actor, approval.id);
  },
  'approval.release': async (deps, actor, vote) => {
    const { approval, signed } = await prepareVote(deps, actor, vote, 'release');
    await deps.engine.release(approval.id, vote.digest, signed);
    return showAgain(deps, actor, approval.id);
  },
  'approval.withdraw': async (deps, actor, { id }) => {
    const approval = await visibleApproval(deps, await signedViewer(deps, actor), id);
    await deps.engine.withdraw(approval.id, actor);
    return showAgain(deps, actor, approval.id);
  },
  'approval.edit': async (deps, actor, { id, text }) => {
    const approval = await visibleApproval(deps, await signedViewer(deps, actor), id);
    return showAgain(deps, actor, await deps.engine.edit(approval.id, text, actor));
  },
};

async function prepareVote(
  deps: AdminDeps,
  actor: Actor,
  vote: Parameters<typeof provedVote>[1]['vote'],
  decision: 'grant' | 'deny' | 'release',
): Promise<{ readonly approval: Approval; readonly signed: Actor }> {
  const viewer = await signedViewer(deps, actor);
  const approval = await visibleApproval(deps, viewer, vote.id);
  return { approval, signed: await provedVote(deps, { actor, approval, decision, vote }) };
}

async function showAgain(deps: AdminDeps, actor: Actor, id: string): Promise<ApprovalDetail> {
  const viewer = await signedViewer(deps, actor);
  return approvalDetail(deps, viewer, await visibleApproval(deps, viewer, id));
}

async function visibleApproval(deps: AdminDeps, viewer: Viewer, id: string): Promise<Approval> {
  const { read } = deps.store;
  return findById(read, {
    table: 'approval',
    noun: 'approval',
    text: id,
    isVisible: async (approval) => {
      const effect = await read.get('effect', { id: approval.effect });
      return effect !== undefined && mayKnow(viewer, effect, approval);
    },
  });
}

function approvalRow(
  viewer: Viewer,
  { approval, effect }: { readonly approval: Approval; readonly effect: Effect },
  nameOf: (key: string) => string,
): ApprovalRow {
  return {
    id: approval.id,
    effect: effect.id,
    kind: effect.kind,
    tier: approval.tier,
    state: approval.state,
    summary: summaryFor(viewer, effect, approval),
    workspace: approval.workspace,
    context: approval.context,
    requester: requesterName(nameOf, effect.requester),
    created_at: toInstant(approval.createdAt),
    expires_at: toInstant(approval.expiresAt),
  };
}

async function approvalDetail(deps: AdminDeps, viewer: Viewer, approval: Approval): Promise<ApprovalDetail> {
  const { read } = deps.store;
  const effect = await read.get('effect', { id: approval.effect });
  if (effect === undefined) throw missing('effect', approval.effect);
  const nameOf = await namesOf(read);
  return {
    ...approvalRow(viewer, { approval, effect }, nameOf),
    digest: approval.digest,
    is_intact: isIntact(effect) && effect.digest === approval.digest,
    label: describeLabel(effect.label),
    ...bytesFor(viewer, effect, approval),
    ...(await diffFor(deps, viewer, effect, approval)),
    approver_role: approval.approverRole,
    needed: approval.needed,
    reasons: await reasonsFor(deps, approval),
    votes: approval.votes.map((vote) => ({
      person: nameOf(vote.person),
      decision: vote.decision,
      via: vote.via,
      at: toInstant(vote.at),
    })),
    missing_releases: missingReleases(approval).map(nameOf),
    audit_head: await currentHead(deps.audit),
    expiry: approval.expiresAt,
  };
}

/** Why a person is asked: the reasons that stand in the log of the proposal. */
async function reasonsFor(deps: AdminDeps, approval: Approval): Promise<string[]> {
  const texts = new Set<string>();
  for (const subject of [approval.effect, approval.id]) {
    for (const event of await deps.audit.tail(50, { subject })) {
      for (const text of reasonTexts(event.data.reasons)) texts.add(text);
    }
  }
  return [...texts];
}
