import type { Fields, WireMessage, WireUser } from './wire.ts';
import type { World } from './world.ts';

type Hearable = Pick<WireMessage, 'author' | 'mentions' | 'content'>;

/**
 * A message as the bot may read it: without the right to read content, what was said between others is empty. Direct
 * messages, its own messages and those that mention it are always whole.
 */
export function readableBy<M extends Hearable & Fields>(
  message: M,
  {
    bot,
    isDirect,
    mayReadContent,
  }: { readonly bot: WireUser; readonly isDirect: boolean; readonly mayReadContent: boolean },
): M {
  const isWhole =
    mayReadContent ||
    isDirect ||
    message.author.id === bot.id ||
    message.mentions.some(({ id }) => id === bot.id);
  return isWhole ? message : { ...message, content: '', embeds: [], attachments: [], components: [] };
}

/** How REST shows a message: never with its nonce, which only the sender's own answer and the gateway carry. */
export function restMessage(world: World, wire: WireMessage): WireMessage {
  const { nonce: _nonce, ...rest } = wire;
  const isDirect = world.channels.get(wire.channel_id)?.wire.guild_id === undefined;
  return readableBy({ ...rest }, { bot: world.bot, isDirect, mayReadContent: world.mayReadContent });
}
