import { readableBy } from '../world/visible.ts';
import type { Fields, WireMessage, WireUser } from '../world/wire.ts';
import { INTENTS } from './intents.ts';

/** Whether a session asked for such events. */
export function isForSession(intents: number, needed: number): boolean {
  return needed === 0 || (intents & needed) !== 0;
}

/** The event as the session may read it: without the intent, what others say to each other is empty. */
export function hearable(
  intents: number,
  { t, d }: { readonly t: string; readonly d: Fields },
  bot: WireUser,
): Fields {
  if (t !== 'MESSAGE_CREATE' && t !== 'MESSAGE_UPDATE') return d;
  const message = d as unknown as WireMessage & Fields; // safe: events of these names carry a message
  return readableBy(message, {
    bot,
    isDirect: d.guild_id === undefined,
    mayReadContent: (intents & INTENTS.messageContent) !== 0,
  });
}
