import { type Approval, type Button, isExpired, type StoreReader, type UserId } from '@agent-runtime/domain';
import type { EngineDeps } from '../api.ts';
import { messageOf } from '../approval/buttons.ts';
import { splitSource, type Whereabouts } from './who.ts';

/** A button that a paired person may use in the place where they are. */
export interface FoundButton {
  readonly button: Button;
  readonly person: UserId;
}

/**
 * The button of this id, when it stands in this place, for this person, and is neither over nor used.
 * @returns undefined for everything else, and for what is no button that can be pressed
 */
export async function findButton(
  deps: Pick<EngineDeps, 'clock' | 'store'>,
  id: string | undefined,
  where: Whereabouts,
): Promise<FoundButton | undefined> {
  const { principal, context } = where;
  if (principal.kind !== 'user' || context === undefined || id === undefined) return undefined;
  const button = await deps.store.read.get('approval_button', { id });
  if (button === undefined || button.act === 'words' || button.context !== context.id) return undefined;
  if (button.usedAt !== undefined || !(deps.clock.nowMs() < button.expiresAt)) return undefined;
  const isTheirs = button.person === undefined || button.person === principal.user;
  return isTheirs ? { button, person: principal.user } : undefined;
}

/** Platform id of the message that a button stands on, when that is in this channel. */
export async function messageHere(
  reader: StoreReader,
  button: Button,
  event: { readonly source: string; readonly channel: { readonly id: string } },
): Promise<string | undefined> {
  const card = await reader.get('effect', { id: button.card });
  const [connector, account] = splitSource(event.source);
  const isHere =
    card !== undefined &&
    card.sink.connector === connector &&
    card.sink.account === account &&
    card.sink.address === event.channel.id;
  return isHere ? messageOf(card) : undefined;
}

/** The question of a button, while it is open and still the one that the card showed: this digest. */
export async function openQuestion(
  deps: Pick<EngineDeps, 'clock' | 'store'>,
  button: Button,
): Promise<Approval | undefined> {
  if (button.approval === undefined) return undefined;
  const approval = await deps.store.read.get('approval', { id: button.approval });
  if (approval === undefined || approval.state !== 'pending') return undefined;
  if (isExpired(approval, deps.clock.nowMs()) || approval.digest !== button.digest) return undefined;
  return approval;
}
