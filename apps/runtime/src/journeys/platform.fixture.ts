import { startTelegramServer, type TelegramMessage, type TelegramServer } from '@agent-runtime/testkit';
import type { Env } from './journey.fixture.ts';

/** Somebody on a platform. */
export interface Person {
  readonly id: string;
  readonly name: string;
}

/** A direct talk or a group on a platform. */
export interface Room {
  readonly id: string;
  readonly isDirect: boolean;
}

/** A message as people see it now. */
export interface Shown {
  readonly id: string;
  readonly text: string;
  readonly buttons: readonly { readonly label: string; readonly id: string }[];
  readonly replyTo: string | undefined;
  readonly file: string | undefined;
  /** Texts that it had before, oldest first. */
  readonly history: readonly string[];
}

/** A chat platform in the hands of a journey: the same words for each of them. */
export interface Platform {
  readonly name: 'telegram' | 'discord';
  /** `<connector>:<account>`, as `context bind` wants it. */
  readonly source: string;
  /** What the runtime needs to find it. */
  readonly env: Env;
  person(name: string): Person;
  direct(person: Person): Room;
  group(title: string, ...members: readonly Person[]): Room;
  /** @param more `isCall`: mentions the bot · `again`: the platform delivers it twice. @returns id of the message */
  say(
    room: Room,
    person: Person,
    text: string,
    more?: { readonly isCall?: boolean; readonly again?: boolean; readonly replyTo?: string },
  ): string;
  /** A native command, e.g. `/task research the shed`. */
  command(room: Room, person: Person, text: string): void;
  press(room: Room, person: Person, message: string, button: string): void;
  /** What the bot shows in a room, oldest first; what was taken away is not there. */
  shown(room: Room): readonly Shown[];
  /** Calls that the platform's description does not allow, in words. */
  problems(): readonly string[];
  /** Refusals that cost the bot its standing, and calls that came too early. */
  burnt(): number;
  close(): Promise<void>;
}

/** Long enough to pass for a real one. */
const TELEGRAM_TOKEN = '100200300:AAemulated-token-of-a-journey';

export interface TelegramPlatform extends Platform {
  readonly server: TelegramServer;
}

export async function telegramPlatform(
  options: Parameters<typeof startTelegramServer>[0] = {},
): Promise<TelegramPlatform> {
  const server = await startTelegramServer({ token: TELEGRAM_TOKEN, ...options });
  const users = new Map<string, ReturnType<TelegramServer['cast']['user']>>();
  const userOf = (person: Person) => {
    const user = users.get(person.id);
    if (user === undefined) throw new Error(`nobody is ${person.id}`);
    return user;
  };
  const chatOf = (room: Room): number => Number(room.id);
  return {
    server,
    name: 'telegram',
    source: `telegram:${server.bot.id}`,
    env: { AGENT_RUNTIME_TELEGRAM_TOKEN: server.token, AGENT_RUNTIME_TELEGRAM_API_ROOT: server.apiRoot },
    person: (name) => {
      const user = server.cast.user({ first_name: name });
      users.set(String(user.id), user);
      return { id: String(user.id), name };
    },
    direct: (person) => ({ id: String(server.cast.privateChat(userOf(person)).id), isDirect: true }),
    group: (title, ...members) => {
      const chat = server.cast.chat({ type: 'supergroup', title, members: members.map(userOf) });
      return { id: String(chat.id), isDirect: false };
    },
    say: (room, person, text, more = {}) => {
      const message = server.people.say({
        chat: chatOf(room),
        from: userOf(person),
        text: more.isCall === true ? `@${server.bot.username} ${text}` : text,
        ...(more.replyTo === undefined
          ? {}
          : { replyTo: { chat: { id: chatOf(room) }, message_id: Number(more.replyTo) } }),
      });
      if (more.again === true) server.updates.push('message', message);
      return String(message.message_id);
    },
    command: (room, person, text) => {
      server.people.say({ chat: chatOf(room), from: userOf(person), text });
    },
    press: (room, person, message, button) => {
      server.people.press(
        { chat: { id: chatOf(room) }, message_id: Number(message) },
        button,
        userOf(person),
      );
    },
    shown: (room) =>
      server
        .sentTo(chatOf(room))
        .filter(({ isDeleted }) => !isDeleted)
        .map(({ now, history }) => ({
          id: String(now.message_id),
          text: now.text ?? now.caption ?? '',
          buttons: buttonsOf(now),
          replyTo: now.reply_to_message === undefined ? undefined : String(now.reply_to_message.message_id),
          file: fileOf(server, now),
          history: history.map((one) => one.text ?? ''),
        })),
    problems: () => server.violations.map((one) => JSON.stringify(one)),
    burnt: () => server.invalid.unauthorized + server.invalid.forbidden + server.faults.tooEarly,
    close: () => server.close(),
  };
}

function buttonsOf(message: TelegramMessage): Shown['buttons'] {
  return (message.reply_markup?.inline_keyboard ?? [])
    .flat()
    .map((button) => ({ label: button.text, id: button.callback_data ?? '' }));
}

function fileOf(server: TelegramServer, message: TelegramMessage): string | undefined {
  const bytes = message.document === undefined ? undefined : server.fileBytes(message.document.file_id);
  return bytes === undefined ? undefined : new TextDecoder().decode(bytes);
}
