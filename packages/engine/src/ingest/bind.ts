import {
  AppError,
  type Binding,
  type Context,
  isSameBinding,
  oneLine,
  parseContextId,
  publicLabel,
  type StoreReader,
  type StoreTx,
  slugify,
  type Workspace,
} from '@agent-runtime/domain';
import type { Arrival, EngineDeps } from '../api.ts';
import { freeSlug } from '../free-slug.ts';
import { writeNotice } from '../notify/notice.ts';
import { splitSource } from './who.ts';

/** Only what several people read; direct talks are bound by pairing. */
const KINDS: ReadonlySet<Context['kind']> = new Set(['channel', 'thread', 'group']);

/** Workspaces whose rule names the guild or group of this place. More than one: nobody gets it. */
export interface Claims {
  readonly workspaces: readonly Workspace[];
  /** The group that they name. */
  readonly group: string;
}

export async function claimsOf(reader: StoreReader, arrival: Arrival): Promise<Claims | undefined> {
  const { source, channel } = arrival.event;
  if (arrival.authenticated !== undefined || !KINDS.has(channel.kind)) return undefined;
  const [connector, account] = splitSource(source);
  const groups = [channel.group, channel.parent].filter((group) => group !== undefined);
  if (groups.length === 0) return undefined;
  const { parent } = channel;
  const above =
    parent === undefined ? undefined : await reader.get('context', { connector, account, channel: parent });
  // What is inside a bound place is never taken from its workspace by the rule of another one.
  const workspaces = (await reader.find('workspace', {})).filter(
    (one) =>
      (above === undefined || above.workspace === one.id) &&
      one.settings.bindings?.some((binding) =>
        groups.some((group) => isSameBinding(binding, { connector, account, group })),
      ),
  );
  return workspaces.length === 0 ? undefined : { workspaces, group: groups[0] ?? '' };
}

/** Somebody speaks to us there, or had us come; what people write to each other binds nothing. */
export function mayBind({ event }: Arrival): boolean {
  const { kind, member, sender, isAddressed } = event;
  if (kind === 'member') return member?.isSelf === true && member.change === 'joined';
  return (kind === 'message' || kind === 'command') && isAddressed && !sender.isBot;
}

/** Places that the rules of one workspace bind on one account in an hour: strangers can open threads without end. */
const MOST_BOUND = 50;
const HOUR_MS = 3_600_000;

/** Only a rule announces what it binds: what staff bind by hand does not count. */
const noticeOf = (id: Context['id']): string => `bound:${id}`;

async function isExhausted(reader: StoreReader, fresh: Context, nowMs: number): Promise<boolean> {
  const { workspace, connector, account } = fresh;
  const recent = { workspace, connector, account, createdAt: { gt: nowMs - HOUR_MS } };
  const bound = (await reader.find('context', recent)).map(({ id }) => noticeOf(id));
  return (await reader.count('notify_notice', { key: { in: bound } })) >= MOST_BOUND;
}

/**
 * Binds a place that was never seen before by the one rule that claims it: as an open context of that workspace, announced there.
 * The event that showed the place goes on once this is durable, and is acknowledged only after both.
 * @returns false when no rule, or more than one, claims it, or its workspace has got enough places in this hour
 */
export async function bindByRule(deps: EngineDeps, arrival: Arrival, claims: Claims): Promise<boolean> {
  const [workspace, ...more] = claims.workspaces;
  if (workspace === undefined || more.length > 0) return false;
  const context = await newContext(deps, arrival, workspace);
  if (await isExhausted(deps.store.read, context, deps.clock.nowMs())) return false;
  const { connector, account, channel } = context;
  const audit = {
    action: 'context.bind_rule',
    actor: 'appliance',
    subject: context.id,
    workspace: workspace.id,
    context: context.id,
    data: { connector, account, channel, group: claims.group, openness: context.openness },
  };
  try {
    await deps.store.commit(audit, (tx) => insertBound(deps, tx, { arrival, context, claims }));
  } catch (thrown) {
    // Another event of the same place was faster, or the rules changed: what holds now is looked at again.
    if (thrown instanceof AppError && thrown.code === 'context.channel.conflict') return true;
    throw thrown;
  }
  await saved(deps, () => deps.configFiles?.saveContext(context));
  return true;
}

async function insertBound(
  deps: EngineDeps,
  tx: StoreTx,
  bound: { readonly arrival: Arrival; readonly context: Context; readonly claims: Claims },
): Promise<void> {
  const { context, arrival } = bound;
  const { connector, account, channel } = context;
  const now = await claimsOf(tx, arrival);
  const isSame = now?.workspaces.length === 1 && now.workspaces[0]?.id === context.workspace;
  if (!isSame || (await tx.get('context', { connector, account, channel })) !== undefined) throw overtaken();
  await tx.insert('context', context);
  await tx.remove('context_seen', { connector, account, channel });
  await writeNotice(deps, tx, {
    key: noticeOf(context.id),
    workspace: context.workspace,
    context: context.id,
    draft: {
      text: 'I answer here from now on: mention me, or reply to me. What is said here is kept in a log. /help lists what I can do.',
    },
    label: publicLabel(2),
  });
}

async function newContext(deps: EngineDeps, arrival: Arrival, workspace: Workspace): Promise<Context> {
  const { source, channel } = arrival.event;
  const [connector, account] = splitSource(source);
  const title = oneLine(channel.title, 120);
  return {
    id: parseContextId(await freeSlug(deps.store.read, slugOf(channel))),
    workspace: workspace.id,
    kind: channel.kind,
    openness: 'open',
    connector,
    account,
    channel: channel.id,
    owner: workspace.owner,
    settings: title === '' ? {} : { title },
    createdAt: deps.clock.nowMs(),
  };
}

/** Strangers choose titles: only letters, digits and hyphens of it are left, and the channel tells places of one title apart. */
function slugOf(channel: Arrival['event']['channel']): string {
  return slugify(`${slugify(channel.title).slice(0, 28)}-${slugify(channel.id).slice(-19)}`);
}

/** The settings file is a copy of the row: without it the place works, and only a rebuild would miss it. */
export async function saved(deps: EngineDeps, save: () => Promise<void> | undefined): Promise<void> {
  try {
    await save();
  } catch (error) {
    deps.log.error({ room: 'context', error }, 'the settings file of a place could not be written');
  }
}

/** Says in the admin hub of the connector, once a day, that two workspaces want the same group. */
export async function tellOfClaims(
  deps: EngineDeps,
  tx: StoreTx,
  binding: Omit<Binding, 'group'>,
  claims: Claims,
): Promise<void> {
  const hub = await tx.get('hub', { connector: binding.connector, state: 'active' });
  if (hub === undefined) {
    deps.log.warn(
      { room: 'context', group: claims.group },
      'several workspaces claim one group; none gets it',
    );
    return;
  }
  const day = Math.floor(deps.clock.nowMs() / 86_400_000);
  await writeNotice(deps, tx, {
    key: `claims:${binding.connector}:${binding.account}:${claims.group}:${day}`,
    workspace: hub.workspace,
    context: hub.context,
    draft: {
      text: `${claims.workspaces.length} workspaces want the places of ${oneLine(claims.group, 80)} by their binding rules, so none gets them. An admin takes it from all but one: agent-runtime workspace set ID --unbind`,
    },
    label: publicLabel(2),
  });
}

function overtaken(): AppError {
  return new AppError({
    code: 'context.channel.conflict',
    kind: 'conflict',
    message: 'This channel has just been bound.',
  });
}
