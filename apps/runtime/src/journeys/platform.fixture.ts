import type { JsonObject } from '@agent-runtime/domain';
import {
  type DiscordServer,
  type MessageRecord,
  startDiscordServer,
  startTelegramServer,
  type TelegramMessage,
  type TelegramServer,
} from '@agent-runtime/testkit';
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
  /** The runtime hears what is said from now on: before its first connection a platform without a memory of its own tells nobody. */
  isHeard(): boolean;
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
  /** Bodies of the calls that made a new message in a room and were taken, as they came over the wire. */
  wire(room: Room): readonly JsonObject[];
  /** The call after so many others that would make a message in a room is refused for good, in the platform's own words. */
  refuseSend(room: Room, after: number): void;
  /** Every byte that the platform was given for people to see: bodies of all calls, answers to interactions too. */
  everything(): string;
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
    isHeard: () => true,
    env: {
      AGENT_RUNTIME_TELEGRAM_TOKEN: server.token,
      AGENT_RUNTIME_TELEGRAM_API_ROOT: server.apiRoot,
      // This server has no limits.
      AGENT_RUNTIME_TELEGRAM_PER_SECOND: '1000000',
    },
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
    wire: (room) =>
      server.calls
        .filter(
          ({ method, params, status }) =>
            (method === 'sendMessage' || method === 'sendDocument') &&
            String(params.chat_id) === room.id &&
            status === 200,
        )
        .map(({ params }) => ({ ...params }) as JsonObject), // safe: JSON came in
    refuseSend: (room, after) =>
      void server.faults.add({
        kind: 'refuse',
        method: 'sendMessage',
        chat: chatOf(room),
        after,
        description: "Bad Request: can't parse entities: Unexpected end of tag",
      }),
    everything: () => JSON.stringify(server.calls.map(({ method, params }) => [method, params])),
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

export interface DiscordPlatform extends Platform {
  readonly server: DiscordServer;
}

export async function discordPlatform(
  options: Parameters<typeof startDiscordServer>[0] = {},
): Promise<DiscordPlatform> {
  const server = await startDiscordServer(options);
  // As the real ones are made: the first part is the id of the application.
  server.token = `${Buffer.from(server.applicationId).toString('base64url')}.GEmula.${'t'.repeat(38)}`;
  const owner = server.user({ username: 'owner' });
  const guild = server.guild({ name: 'Community', owner: owner.id });
  let groups = 0;
  const shownText = ({ wire }: MessageRecord): string =>
    [wire.content, ...wire.embeds.flatMap((embed) => [embed.title, embed.description])]
      .filter((text) => typeof text === 'string' && text !== '')
      .join('\n');
  return {
    server,
    name: 'discord',
    source: `discord:${server.applicationId}`,
    isHeard: () => server.gateway.connected > 0 && server.commands().length > 0,
    env: { AGENT_RUNTIME_DISCORD_TOKEN: server.token, AGENT_RUNTIME_DISCORD_API_ROOT: server.apiUrl },
    person: (name) => {
      const user = server.user({ username: name });
      server.join(guild.id, user.id);
      return { id: user.id, name };
    },
    direct: (person) => ({ id: server.direct(person.id).id, isDirect: true }),
    group: (title) => {
      groups += 1;
      const name = `${title.toLowerCase().replace(/[^a-z0-9]+/g, '-')}-${groups}`;
      return { id: server.channel({ guild: guild.id, name }).id, isDirect: false };
    },
    say: (room, person, text, more = {}) => {
      if (more.again === true) server.gateway.duplicate(1);
      return server.say({
        channel: room.id,
        from: person.id,
        content: more.isCall === true ? `<@${server.bot.id}> ${text}` : text,
        ...(more.replyTo === undefined ? {} : { replyTo: more.replyTo }),
      }).id;
    },
    command: (room, person, text) => {
      const [name = '', ...words] = text.slice(1).split(' ');
      const known = server.commands().find(({ definition }) => definition.name === name);
      const options = (known?.definition.options ?? []) as readonly { readonly name: string }[]; // safe: as the platform took them
      const values = Object.fromEntries(
        options.flatMap((option, at) => {
          const value = at === options.length - 1 ? words.slice(at).join(' ') : (words[at] ?? '');
          return value === '' ? [] : [[option.name, value]];
        }),
      );
      server.command({ channel: room.id, from: person.id, name, values });
    },
    press: (_room, person, message, button) => {
      const pressed = server.press({ message, customId: button, from: person.id, isForged: true });
      const form = (): boolean => pressed.answer?.type === MODAL;
      void server
        .until(() => pressed.answer !== undefined, 'an answer to a press', 60_000)
        .then(() => {
          if (form()) server.submitModal({ interaction: pressed, from: person.id, values: {} });
        })
        // A press that nobody answers is a person who waits in vain; journeys look at what happened instead.
        .catch(() => undefined);
    },
    shown: (room) =>
      server
        .allMessages(room.id)
        .filter(({ wire, deletedAtMs }) => wire.author.id === server.bot.id && deletedAtMs === undefined)
        .map((record) => ({
          id: record.wire.id,
          text: shownText(record),
          buttons: componentsOf(record),
          replyTo: record.wire.message_reference?.message_id,
          file: sentFile(server, record),
          history: record.history.map(({ wire }) => wire.content),
        })),
    wire: (room) =>
      server.calls
        .filter(
          ({ method, path, status }) =>
            method === 'POST' && path === `/channels/${room.id}/messages` && status === 200,
        )
        .map(({ body }) => {
          // How Discord tells a repeat from a new message: not part of what is said, and so not of what is approved.
          const { nonce: _nonce, enforce_nonce: _enforced, ...said } = body as JsonObject; // safe: JSON came in
          return said;
        }),
    refuseSend: (room, after) => {
      let before = 0;
      server.faults.add({
        kind: 'refusal',
        method: 'POST',
        status: 400,
        code: 50_035,
        when: ({ path }) => path === `/channels/${room.id}/messages` && before++ >= after,
      });
    },
    everything: () => JSON.stringify(server.calls.map(({ path, body }) => [path, body])),
    problems: () => server.violations.map((one) => JSON.stringify(one)),
    burnt: () => server.invalidRequests,
    close: () => server.close(),
  };
}

/** What a message carries, from the call that made it. */
function sentFile(server: DiscordServer, { wire }: MessageRecord): string | undefined {
  if (wire.attachments.length === 0) return undefined;
  const call = server.calls.find(({ answer }) => (answer as { id?: string } | undefined)?.id === wire.id); // safe: looked at only
  const bytes = call?.files[0]?.bytes;
  return bytes === undefined ? undefined : new TextDecoder().decode(bytes);
}

function componentsOf({ wire }: MessageRecord): Shown['buttons'] {
  const rows = wire.components as readonly { readonly components?: readonly Button[] }[]; // safe: rows of buttons, by the specification
  return rows
    .flatMap((row) => row.components ?? [])
    .map((button) => ({ label: button.label ?? '', id: button.custom_id ?? '' }));
}

/** The kind of an answer to an interaction that opens a form. */
const MODAL = 9;

interface Button {
  readonly label?: string;
  readonly custom_id?: string;
}
