import {
  AppError,
  type AuditDraft,
  type Context,
  decide,
  HUB_REQUEST_LIFETIME_MS,
  type Hub,
  isHubAsked,
  isStaffPlace,
  MAX_HUB_REQUESTS,
  type Principal,
  principalKey,
  type StoreReader,
  type StoreTx,
  type UserId,
} from '@agent-runtime/domain';
import type { EngineDeps } from '../api.ts';
import { policyRules, type RulesDeps } from '../effect/rules.ts';

/**
 * Files the wish of somebody of the staff that this place becomes the admin hub of its connector. It clears nothing. The same place asked
 * again is the same request.
 * @returns what an admin does next
 * @throws AppError hub.request.denied · hub.place.invalid · hub.request.exhausted · hub.request.conflict (asked by somebody else just now)
 */
export async function askForHub(deps: EngineDeps, place: Context, principal: Principal): Promise<string> {
  const asker = await requireStaff(deps, deps.store.read, place, principal);
  if (!isStaffPlace(place)) throw noStaffPlace(place);
  const known = await pendingAt(deps, deps.store.read, place);
  if (known !== undefined) return nextStep(known);
  const { connector, account, channel, workspace } = place;
  const nowMs = deps.clock.nowMs();
  const hub: Hub = {
    id: deps.ids.make('hub'),
    state: 'asked',
    connector,
    account,
    channel,
    context: place.id,
    workspace,
    askedBy: asker,
    askedAt: nowMs,
    expiresAt: nowMs + HUB_REQUEST_LIFETIME_MS,
    clearedFor: [],
  };
  const audit: AuditDraft = {
    action: 'hub.request',
    actor: principalKey(principal),
    subject: hub.id,
    workspace,
    context: place.id,
    data: { connector, account, channel },
  };
  await deps.store.commit(audit, async (tx) => {
    await requireStaff(deps, tx, place, principal);
    const rival = await pendingAt(deps, tx, place);
    if (rival !== undefined) throw askedAlready(rival);
    await forgetVoid(deps, tx, connector);
    if ((await tx.count('hub', { connector, state: 'asked' })) >= MAX_HUB_REQUESTS) throw tooMany();
    await tx.insert('hub', hub);
  });
  return nextStep(hub);
}

/** How the hub ends, for staff who ask for that in chat, where only a signature helps. @throws AppError hub.request.denied */
export async function describeHubEnd(
  deps: EngineDeps,
  place: Context,
  principal: Principal,
): Promise<string> {
  const { connector } = place;
  const { read } = deps.store;
  await requireStaff(deps, read, place, principal);
  const hub = await read.get('hub', { connector, state: 'active' });
  return hub?.context === place.id
    ? `This is the admin hub of ${connector}. An admin ends it with a signed request: agent-runtime hub rm ${connector}`
    : 'This place is not the admin hub.';
}

/**
 * Does this request still count? It is not over, its place is still where it was and closed, and whoever asked could ask it anew: an
 * account there, and staff of the place.
 */
export async function isHubStanding(deps: RulesDeps, reader: StoreReader, hub: Hub): Promise<boolean> {
  if (!isHubAsked(hub, deps.clock.nowMs())) return false;
  const { askedBy: user, connector, account, channel } = hub;
  const place = await reader.get('context', { id: hub.context, connector, account, channel });
  if (place === undefined || !isStaffPlace(place)) return false;
  const link = await reader.get('identity_link', { connector, user });
  if (link === undefined) return false;
  return (await decideRequest(deps, reader, place, { kind: 'user', user })).kind === 'permit';
}

async function pendingAt(deps: RulesDeps, reader: StoreReader, place: Context): Promise<Hub | undefined> {
  const { connector, account, channel } = place;
  const asked = await reader.get('hub', { connector, account, channel, state: 'asked' });
  return asked !== undefined && (await isHubStanding(deps, reader, asked)) ? asked : undefined;
}

/** Requests that nobody can sign any more make room. */
async function forgetVoid(deps: EngineDeps, tx: StoreTx, connector: string): Promise<void> {
  for (const row of await tx.find('hub', { connector, state: 'asked' }))
    if (!(await isHubStanding(deps, tx, row))) await tx.remove('hub', { id: row.id });
}

async function decideRequest(deps: RulesDeps, reader: StoreReader, place: Context, principal: Principal) {
  const target = { kind: 'context', workspace: place.workspace, context: place.id } as const;
  const rules = await policyRules(deps, reader, undefined);
  return decide({ action: 'admin', verb: 'hub.request', via: 'chat', principal, target }, rules);
}

async function requireStaff(
  deps: RulesDeps,
  reader: StoreReader,
  place: Context,
  principal: Principal,
): Promise<UserId> {
  const decision = await decideRequest(deps, reader, place, principal);
  if (decision.kind === 'permit' && principal.kind === 'user') return principal.user;
  throw new AppError({
    code: 'hub.request.denied',
    kind: 'denied',
    message: `Only staff of this place can ask for it. ${decision.reasons.map((reason) => reason.text).join(' ')}`,
    detail: decision.reasons,
  });
}

function nextStep(hub: Hub): string {
  const end = new Date(hub.expiresAt).toISOString().slice(0, 16);
  return [
    `${hub.id} asks that this place becomes the admin hub of ${hub.connector}. Nothing is cleared yet.`,
    `An admin signs it until ${end} UTC and says whose texts may be shown here: agent-runtime hub approve ${hub.id} --workspace ${hub.workspace}`,
  ].join('\n');
}

function noStaffPlace(place: Context): AppError {
  const isDirect = place.directWith !== undefined || place.kind === 'direct';
  return new AppError({
    code: 'hub.place.invalid',
    kind: 'invalid',
    message: isDirect
      ? 'A direct talk cannot be the admin hub. Say it in a channel or group of the staff.'
      : `Strangers may read here, so it cannot be the admin hub. An admin can close it: agent-runtime context set ${place.id} --closed`,
  });
}

function askedAlready(hub: Hub): AppError {
  return new AppError({ code: 'hub.request.conflict', kind: 'conflict', message: nextStep(hub) });
}

function tooMany(): AppError {
  return new AppError({
    code: 'hub.request.exhausted',
    kind: 'exhausted',
    message: `${MAX_HUB_REQUESTS} places ask to be the admin hub already. An admin can send some away: agent-runtime hub list`,
  });
}
