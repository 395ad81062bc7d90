import {
  type Button,
  type Context,
  canFlow,
  clearanceOf,
  type Effect,
  mayHubSee,
  type Principal,
  type StoreReader,
  wordsOfPayloads,
} from '@agent-runtime/domain';
import type { EngineDeps } from '../api.ts';
import { decideEdit } from './edit.ts';
import { loadQuestion } from './question.ts';

/** Who opens the form of an edit, where, and by which button. */
export interface FormQuestion {
  readonly principal: Principal;
  readonly context: Context;
  /** Random id of the button. */
  readonly button: string;
}

/**
 * The present text that the form of an edit begins with. Only for whoever may edit the question, and only where its words may be shown.
 * @returns undefined in every other case, without saying which
 */
export async function formText(deps: EngineDeps, asked: FormQuestion): Promise<string | undefined> {
  const { read } = deps.store;
  const button = await read.get('approval_button', { id: asked.button });
  if (button?.approval === undefined || !isLive(button, asked, deps.clock.nowMs())) return undefined;
  const question = await loadQuestion(deps, read, button.approval);
  const { approval, effect } = question;
  if (approval.state !== 'pending') return undefined;
  if (decideEdit(question, { principal: asked.principal, via: 'chat' }).kind !== 'permit') return undefined;
  return (await mayBeShown(read, asked.context, effect)) ? wordsIn(effect) : undefined;
}

function isLive(button: Button, { context, principal }: FormQuestion, nowMs: number): boolean {
  return (
    button.act === 'edit' &&
    button.context === context.id &&
    button.usedAt === undefined &&
    nowMs < button.expiresAt &&
    (button.person === undefined || (principal.kind === 'user' && principal.user === button.person))
  );
}

/** As for its card: it fits the place, or the place is an admin hub that is cleared for it. */
async function mayBeShown(reader: StoreReader, place: Context, effect: Effect): Promise<boolean> {
  if (canFlow(effect.label, clearanceOf(place))) return true;
  const hub = await reader.get('hub', { state: 'active', context: place.id });
  return hub !== undefined && mayHubSee(hub, place, effect);
}

function wordsIn({ payloads }: Effect): string | undefined {
  const words = wordsOfPayloads(payloads);
  return words === '' ? undefined : words;
}
