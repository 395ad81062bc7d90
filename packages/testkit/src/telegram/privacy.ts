import { FILE_KINDS } from './saying.ts';
import type { TelegramBot, TelegramMessage } from './wire.ts';
import { type ChatRoom, isAdmin, type World } from './world.ts';

/** Whether the bot gets a message: in groups, one in privacy mode that is no admin gets what is meant for it alone. */
export function mayBotRead(world: World, room: ChatRoom, message: TelegramMessage): boolean {
  const { bot } = world;
  const isGroup = room.chat.type === 'group' || room.chat.type === 'supergroup';
  if (!isGroup || bot.can_read_all_group_messages || isAdmin(world.statusOf(room, bot.id))) return true;
  return isService(message) || isAddressed(message, bot);
}

/** Who joined, what the chat is called, that it moved: such things every bot gets. */
function isService({ text, caption, via_bot, ...message }: TelegramMessage): boolean {
  const isSaid = text !== undefined || caption !== undefined || via_bot !== undefined;
  return !isSaid && !FILE_KINDS.some((kind) => message[kind] !== undefined);
}

function isAddressed(message: TelegramMessage, bot: TelegramBot): boolean {
  if (message.reply_to_message?.from?.id === bot.id || message.via_bot?.id === bot.id) return true;
  const text = message.text ?? message.caption ?? '';
  const name = `@${bot.username.toLowerCase()}`;
  return (message.entities ?? message.caption_entities ?? []).some(({ type, offset, length }) => {
    const part = text.slice(offset, offset + length).toLowerCase();
    if (type === 'mention') return part === name;
    return type === 'bot_command' && (!part.includes('@') || part.endsWith(name));
  });
}
