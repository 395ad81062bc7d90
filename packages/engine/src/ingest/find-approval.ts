import {
  AppError,
  type Approval,
  type ApprovalId,
  type Context,
  isHubPlace,
  mayHubSee,
  type StoreReader,
} from '@agent-runtime/domain';
import { fits, unclear } from './short-id.ts';

const OPEN = { in: ['pending', 'granted'] } as const;

/**
 * The open question that a command names: one of this place, or, in the admin hub, one whose card stands there. Elsewhere, also in the
 * direct talks of staff, nobody has been shown its words, and nobody says yes to what they have not been shown. Who may answer is decided
 * afterwards, by policy, for the question's own context.
 * @param text an id, which may be shortened
 * @throws AppError ingest.id.missing · ingest.id.conflict · ingest.words.denied (approved where only its bare card stands)
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
  if (order === 'approve' && only.context !== place.id && !(await areWordsShown(reader, place, only)))
    throw unseen(only.id);
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

async function areWordsShown(reader: StoreReader, place: Context, approval: Approval): Promise<boolean> {
  const hub = await reader.get('hub', { state: 'active', context: place.id });
  const effect = await reader.get('effect', { id: approval.effect });
  return hub !== undefined && effect !== undefined && mayHubSee(hub, place, effect);
}

function unseen(id: ApprovalId): AppError {
  return new AppError({
    code: 'ingest.words.denied',
    kind: 'denied',
    message: `The words of ${id} may not be shown here, so nobody says yes to them here. Look at them in the TUI or with agent-runtime approval show ${id}`,
  });
}
