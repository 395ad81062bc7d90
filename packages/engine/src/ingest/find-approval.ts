import {
  AppError,
  type Approval,
  type ApprovalId,
  type Context,
  canFlow,
  clearanceOf,
  type Effect,
  isHubPlace,
  mayHubSee,
  type StoreReader,
} from '@agent-runtime/domain';
import { maySayYes } from '../effect/card.ts';
import { fits, unclear } from './short-id.ts';

const OPEN = { in: ['pending', 'granted'] } as const;

/**
 * The open question that a command names: one of this place, or, in the admin hub, one whose card stands there. Elsewhere, also in the
 * direct talks of staff, nobody has been shown its words, and nobody says yes to what they have not been shown. Who may answer is decided
 * afterwards, by policy, for the question's own context.
 * @param text an id, which may be shortened
 * @throws AppError ingest.id.missing · ingest.id.conflict · ingest.words.denied (approved where its card does not show all of its words)
 */
export async function findApproval(
  reader: StoreReader,
  place: Context,
  text: string,
  order: 'approve' | 'deny' | 'withdraw',
): Promise<Approval> {
  const own = await reader.find('approval', { context: place.id, state: OPEN });
  // Taking a request back needs no words that others may read; it belongs where it was asked.
  const shown = order === 'withdraw' ? [] : await shownInHub(reader, place);
  const fitting = [...own, ...shown].filter((one) => fits(one.id, text));
  const [only] = fitting;
  if (fitting.length !== 1 || only === undefined)
    throw unclear(
      'approval',
      text,
      fitting.map((one) => one.id),
    );
  if (order === 'approve' && !(await mayApproveHere(reader, place, only))) throw unseen(only.id);
  return only;
}

/** Open questions of other contexts whose cards stand in this place, when it is the admin hub; oldest first. */
export async function shownInHub(reader: StoreReader, place: Context): Promise<readonly Approval[]> {
  const hub = await reader.get('hub', { state: 'active', context: place.id });
  if (hub === undefined || !isHubPlace(hub, place)) return [];
  // Every card has a button that says no.
  const buttons = await reader.find(
    'approval_button',
    { context: place.id, act: 'deny', usedAt: { isNull: true } },
    { orderBy: 'createdAt' },
  );
  const shown: Approval[] = [];
  for (const id of new Set(buttons.map((button) => button.approval))) {
    const approval = id && (await reader.get('approval', { id, state: OPEN }));
    if (approval !== undefined && approval.context !== place.id) shown.push(approval);
  }
  return shown;
}

async function mayApproveHere(reader: StoreReader, place: Context, approval: Approval): Promise<boolean> {
  const sight = await sightHere(reader, place, approval);
  if (sight === undefined || !maySayYes(sight.effect, approval.tier, sight.isCleared)) return false;
  const buttons = await reader.find('approval_button', {
    approval: approval.id,
    context: place.id,
    act: 'deny',
    digest: approval.digest,
  });
  for (const { card } of buttons)
    if ((await reader.get('effect', { id: card, state: 'done' })) !== undefined) return true;
  return false;
}

/** What a place may see of a question now. */
export interface Sight {
  readonly effect: Effect;
  /** The words fit the place, or the clearance of the hub there. */
  readonly isCleared: boolean;
}

/** @returns undefined where the question may not even be named: it came up elsewhere and this is not the admin hub */
export async function sightHere(
  reader: StoreReader,
  place: Context,
  approval: Approval,
): Promise<Sight | undefined> {
  const effect = await reader.get('effect', { id: approval.effect });
  if (effect === undefined) return undefined;
  if (approval.context === place.id) return { effect, isCleared: canFlow(effect.label, clearanceOf(place)) };
  const hub = await reader.get('hub', { state: 'active', context: place.id });
  if (hub === undefined || !isHubPlace(hub, place)) return undefined;
  return { effect, isCleared: mayHubSee(hub, place, effect) };
}

function unseen(id: ApprovalId): AppError {
  return new AppError({
    code: 'ingest.words.denied',
    kind: 'denied',
    message: `No card here shows all that ${id} is about and takes a yes to it. Look at it and answer in the TUI or with your key: agent-runtime approval show ${id}`,
  });
}
