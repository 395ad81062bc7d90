import {
  type Context,
  principalKey,
  publicLabel,
  type SeenPlace,
  type StoreTx,
  type Workspace,
} from '@agent-runtime/domain';
import type { Accepted, Arrival, EngineDeps } from '../api.ts';
import { writeNotice } from '../notify/notice.ts';
import { voidUnfinished } from '../panic/void.ts';
import { saved } from './bind.ts';
import { markOf, type Place } from './place.ts';
import { isWanted, seenPlace, writeSeen } from './seen.ts';
import { splitSource } from './who.ts';

const LOGGED: Accepted = { outcome: 'logged', isRepeat: false };

/**
 * The platform gave a bound place another id: the context, its open conversations, a hub and rules that name the place follow, in one
 * commit. Answers that wait for the old id are void, and people are told; what was approved for it stays and will be rejected outside.
 */
export async function takeMove(deps: EngineDeps, onReply: () => void, at: Place): Promise<Accepted> {
  const { arrival, where, context } = at;
  const { connector, account } = context;
  const [from, to] = [context.channel, arrival.event.channel.id];
  const rival = await deps.store.read.get('context', { connector, account, channel: to });
  if (from === to || rival !== undefined) {
    deps.log.warn({ room: 'context', context: context.id }, 'a place moved to where another one is bound');
    return LOGGED;
  }
  const audit = {
    action: 'context.move',
    actor: principalKey(where.principal),
    subject: context.id,
    workspace: context.workspace,
    context: context.id,
    data: { from, to },
  };
  const moved: Context = { ...context, channel: to };
  const workspaces = await deps.store.commit(audit, async (tx) => {
    await tx.update('context', { id: context.id, channel: from }, { channel: to });
    await followTo(tx, at, moved);
    await endWaiting(deps, tx, { context: moved, from });
    await tx.insert('ingest_event', markOf(deps, arrival, { outcome: 'logged' }));
    return moveRules(tx, at, { from, to });
  });
  onReply();
  await saved(deps, () => deps.configFiles?.saveContext(moved));
  for (const one of workspaces) await saved(deps, () => deps.configFiles?.saveWorkspace(one));
  return LOGGED;
}

async function followTo(tx: StoreTx, at: Place, moved: Context): Promise<void> {
  const { arrival, context } = at;
  const { connector, account, channel: from } = context;
  const to = moved.channel;
  await tx.update('hub', { connector, account, channel: from }, { channel: to });
  // A door names conversations after their channel.
  const key = arrival.conversationKey;
  const oldKey = key.endsWith(to) ? key.slice(0, -to.length) + from : key;
  const open = { context: context.id, key: oldKey, isOpen: true };
  await tx.update('context_conversation', open, { key });
  for (const channel of [from, to]) await tx.remove('context_seen', { connector, account, channel });
}

async function endWaiting(
  deps: EngineDeps,
  tx: StoreTx,
  place: { readonly context: Context; readonly from: string },
): Promise<void> {
  const { context, from } = place;
  const { ended } = await voidUnfinished(tx, {
    nowMs: deps.clock.nowMs(),
    actor: 'appliance',
    why: 'The group moved to another address.',
    isMeant: (effect) =>
      effect.class === 'E0' &&
      effect.state === 'approved' &&
      effect.context === context.id &&
      effect.sink.address === from,
    isApprovedDoubtful: false,
  });
  if (ended === 0) return;
  await writeNotice(deps, tx, {
    key: `moved:${context.id}:${from}`,
    workspace: context.workspace,
    context: context.id,
    draft: { text: 'This group has a new address. An answer may be missing: ask again.' },
    label: publicLabel(2),
  });
}

/** Rules that named the group by its old id name it by its new one. @returns workspaces as they are now */
async function moveRules(
  tx: StoreTx,
  at: Place,
  ids: { readonly from: string; readonly to: string },
): Promise<readonly Workspace[]> {
  const { connector, account } = at.context;
  const changed: Workspace[] = [];
  for (const one of await tx.find('workspace', {})) {
    const { bindings = [] } = one.settings;
    const next = bindings.map((rule) =>
      rule.connector === connector && rule.account === account && rule.group === ids.from
        ? { ...rule, group: ids.to }
        : rule,
    );
    if (next.every((rule, i) => rule === bindings[i])) continue;
    const workspace: Workspace = { ...one, settings: { ...one.settings, bindings: next } };
    await tx.update('workspace', { id: one.id }, { settings: workspace.settings });
    changed.push(workspace);
  }
  return changed;
}

/** The same for a place that is bound to nothing. */
export async function moveSeen(deps: EngineDeps, arrival: Arrival): Promise<Accepted> {
  const { source, movedFrom } = arrival.event;
  const place = seenPlace(deps, arrival);
  if (place === undefined || movedFrom === undefined) return LOGGED;
  const [connector, account] = splitSource(source);
  const old = { connector, account, channel: movedFrom };
  // Both the old and the new place may tell of one move.
  const bound = await deps.store.read.get('context', { connector, account, channel: place.channel });
  if (bound !== undefined) return LOGGED;
  const known: SeenPlace | undefined = await deps.store.read.get('context_seen', old);
  const audit = {
    action: 'context.see',
    actor: 'appliance',
    subject: source,
    data: { connector, account, channel: place.channel, from: movedFrom },
  };
  await deps.store.commit(audit, async (tx) => {
    await tx.remove('context_seen', old);
    await writeSeen(
      tx,
      { ...place, firstSeenAt: known?.firstSeenAt ?? place.firstSeenAt },
      isWanted(arrival),
    );
    await tx.insert('ingest_event', markOf(deps, arrival, { outcome: 'logged' }));
  });
  return LOGGED;
}
