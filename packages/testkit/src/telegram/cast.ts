import type { TelegramChat, TelegramMember, TelegramStatus, TelegramUser } from './wire.ts';
import type { World } from './world.ts';

/** Makes people and chats. */
export interface TelegramCast {
  user(about: Partial<TelegramUser> & { readonly first_name: string }): TelegramUser;
  /** The chat of a person with the bot. @param isStarted false: the bot may not write first */
  privateChat(user: TelegramUser, isStarted?: boolean): TelegramChat;
  /** A group, supergroup, forum or channel with the bot in it. */
  chat(about: NewChat): TelegramChat;
}

export interface NewChat {
  readonly type: 'group' | 'supergroup' | 'channel';
  readonly title: string;
  readonly username?: string;
  readonly isForum?: boolean;
  readonly id?: number;
  readonly members?: readonly TelegramUser[];
  /** Standing of the bot. Default `member`, in channels `administrator`. */
  readonly bot?: TelegramStatus;
}

/** The cast of a world. */
export function castOf(world: World): TelegramCast {
  const asMember = (user: TelegramUser, status: TelegramStatus = 'member'): TelegramMember => ({
    user,
    status,
  });
  return {
    user: (about) => {
      const user: TelegramUser = { id: about.id ?? world.nextId(), is_bot: false, ...about };
      world.users.set(user.id, user);
      return user;
    },
    privateChat: (user, isStarted = true) => {
      const { id, first_name, last_name, username } = user;
      const names = { ...(last_name && { last_name }), ...(username && { username }) };
      const bot = isStarted ? [asMember(world.bot)] : [];
      return world.addRoom({ id, type: 'private', first_name, ...names }, [asMember(user), ...bot]).chat;
    },
    chat: ({ type, title, username, isForum, id, members = [], bot }) => {
      const own = id ?? (type === 'group' ? -world.nextId() : -1_000_000_000_000 - world.nextId());
      const names = { ...(username && { username }), ...(isForum === true && { is_forum: true as const }) };
      const standing = bot ?? (type === 'channel' ? 'administrator' : 'member');
      const all = [...members.map((user) => asMember(user)), asMember(world.bot, standing)];
      return world.addRoom({ id: own, type, title, ...names }, all).chat;
    },
  };
}
