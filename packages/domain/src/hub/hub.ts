import type { ContextId, HubId, UserId, WorkspaceId } from '../base/index.ts';
import type { Context } from '../context/index.ts';
import { type Clearance, canFlow, type Label, PUBLIC_CLEARANCE, privTag } from '../label/index.ts';

/** How long a request waits for an admin's signature, ms. */
export const HUB_REQUEST_LIFETIME_MS = 24 * 60 * 60_000;
/** Requests of one connector that wait at the same time. */
export const MAX_HUB_REQUESTS = 20;
/** Kind of the effect that tells a hub of an open question; part of its digest. */
export const HUB_CARD = 'message.card';
/** Kind of the effect that shows a hub what was said in the direct talk of one of the staff; part of its digest. */
export const HUB_MIRROR = 'message.mirror';

/**
 * The admin hub of a connector, or the wish to be it. `asked`: said in chat, and worth nothing until an admin signs it · `active`: the
 * hub; there is one per connector.
 */
export interface Hub {
  readonly id: HubId;
  readonly state: 'asked' | 'active';
  readonly connector: string;
  readonly account: string;
  readonly channel: string;
  /** The context that this place is bound as, and its workspace. */
  readonly context: ContextId;
  readonly workspace: WorkspaceId;
  readonly askedBy: UserId;
  readonly askedAt: number;
  /** A request that nobody has signed by then is over. */
  readonly expiresAt: number;
  /** Workspaces whose texts may be shown there; none while it is asked. */
  readonly clearedFor: readonly WorkspaceId[];
  readonly approvedBy?: UserId | undefined;
  readonly approvedAt?: number | undefined;
}

/** May this request still be signed? */
export function isHubAsked(hub: Hub, nowMs: number): boolean {
  return hub.state === 'asked' && nowMs < hub.expiresAt;
}

/** Only a closed channel, thread or group can be a hub; a direct talk is one person's. */
export function isStaffPlace(place: Context): boolean {
  return place.openness === 'closed' && place.directWith === undefined && place.kind !== 'direct';
}

/** Is this context the hub now? Not while it is only asked for, and not once it was opened to strangers or bound elsewhere. */
export function isHubPlace(hub: Hub, place: Context): boolean {
  return (
    hub.state === 'active' &&
    place.id === hub.context &&
    place.connector === hub.connector &&
    place.account === hub.account &&
    place.channel === hub.channel &&
    isStaffPlace(place)
  );
}

/** What may reach this place as the hub: every text of the workspaces that the signed act named, and no private one. */
export function clearanceOfHub(hub: Hub, place: Context): Clearance {
  if (!isHubPlace(hub, place)) return PUBLIC_CLEARANCE;
  return { kind: 'workspaces', workspaces: hub.clearedFor, isPrivateCleared: false };
}

/** May the words of a question that came up in this workspace, with this label, be shown in the hub? Else only that there is one. */
export function mayHubSee(
  hub: Hub,
  place: Context,
  text: { readonly workspace: WorkspaceId; readonly label: Label },
): boolean {
  return (
    isHubPlace(hub, place) &&
    hub.clearedFor.includes(text.workspace) &&
    canFlow(text.label, clearanceOfHub(hub, place))
  );
}

/**
 * The label of a direct talk's text as its hub sees it: the person whose talk it is released their own private text when they agreed;
 * nobody else's is released by that.
 */
export function mirrorLabel(label: Label, person: UserId): Label {
  return { ...label, audience: label.audience.filter((tag) => tag !== privTag(person)) };
}
