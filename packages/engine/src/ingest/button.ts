import { type Approval, type Button, isExpired, type StoreReader, type UserId } from '@agent-runtime/domain';
import type { EngineDeps } from '../api.ts';
import { messageOf } from '../approval/buttons.ts';
import { splitSource, type Whereabouts } from './who.ts';

/** A button that somebody may use in the place where they are. */
export interface FoundButton {
  readonly button: Button;
  /** Absent: a guest, who may say OK to a wish of their own and nothing else. */
  readonly person: UserId | undefined;
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
  if (context === undefined || id === undefined) return undefined;
  const person = principal.kind === 'user' ? principal.user : undefined;
  const button = await deps.store.read.get('approval_button', { id });
  if (button === undefined || button.act === 'words' || button.context !== context.id) return undefined;
  if (button.usedAt !== undefined || !(deps.clock.nowMs() < button.expiresAt)) return undefined;
  if (person === undefined && (principal.kind !== 'guest' || button.act !== 'confirm')) return undefined;
  const isTheirs = button.person === undefined || button.person === person;
  return isTheirs ? { button, person } : undefined;
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
