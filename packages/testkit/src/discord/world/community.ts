import {
  addChannel,
  addThread,
  type ChannelChange,
  joinThread,
  leaveThread,
  type NewChannel,
  type NewThread,
  openDirectMessages,
  removeChannel,
  updateChannel,
} from './channels.ts';
import { type TypedOptions, typedOptions } from './command-options.ts';
import type { CommandBook, CommandRecord } from './commands.ts';
import { type InteractionBook, type InteractionRecord, interact, pressable } from './interactions.ts';
import { editMessage, type MessageChange, removeMessage, setReaction, visibleMessages } from './messages.ts';
import {
  addGuild,
  addRole,
  addUser,
  joinGuild,
  leaveGuild,
  type MemberOptions,
  removeGuild,
  renameUser,
  restoreGuild,
  updateMember,
} from './people.ts';
import { findMessage, type Say, say } from './say.ts';
import type { Fields, WireChannel, WireMember, WireMessage, WireRole, WireUser } from './wire.ts';
import { type GuildRecord, idOf, type MessageRecord, must, type Ref, type World } from './world.ts';

export interface TypedCommand extends TypedOptions {
  readonly channel: Ref;
  readonly from: Ref;
  readonly name: string;
}

/** What people do, and what can be seen of it. */
export interface Community {
  readonly bot: WireUser;
  readonly applicationId: string;
  user(options: {
    readonly username: string;
    readonly displayName?: string;
    readonly isBot?: boolean;
  }): WireUser;
  rename(user: Ref, names: { readonly username?: string; readonly displayName?: string }): WireUser;
  guild(options: { readonly name: string; readonly owner: Ref }): GuildRecord;
  /** The bot was thrown out, or the guild has an outage. */
  guildDelete(guild: Ref, options?: { readonly isUnavailable?: boolean }): void;
  /** The outage is over. */
  guildRestore(guild: Ref): void;
  role(guild: Ref, name: string): WireRole;
  join(guild: Ref, user: Ref, options?: MemberOptions): WireMember;
  leave(guild: Ref, user: Ref): void;
  changeMember(guild: Ref, user: Ref, options: MemberOptions): WireMember;
  channel(options: NewChannel): WireChannel;
  changeChannel(channel: Ref, change: ChannelChange): WireChannel;
  channelDelete(channel: Ref): void;
  createThread(options: NewThread): WireChannel;
  joinThread(thread: Ref, user: Ref): void;
  leaveThread(thread: Ref, user: Ref): void;
  /** The line of direct messages between a user and the bot. */
  direct(user: Ref): WireChannel;

  say(said: Say): WireMessage;
  edit(message: Ref, change: MessageChange): WireMessage;
  remove(message: Ref): void;
  react(options: {
    readonly message: Ref;
    readonly from: Ref;
    readonly emoji: string;
    readonly isOn?: boolean;
  }): void;
  /** Somebody uses a slash command. @throws Error when it is not registered, or its options do not fit */
  command(typed: TypedCommand): InteractionRecord;
  /** Somebody types in an option; `focused` names it. */
  autocomplete(typed: TypedCommand & { readonly focused: string }): InteractionRecord;
  /** Somebody presses a button, or chooses `values`. `isForged`: the platform does not look whether it is there. */
  press(options: {
    readonly message: Ref;
    readonly customId: string;
    readonly from: Ref;
    readonly values?: readonly string[];
    readonly isForged?: boolean;
  }): InteractionRecord;
  /** Somebody sends off the form that an interaction was answered with. @param values by the custom_id of each input */
  submitModal(options: {
    readonly interaction: InteractionRecord;
    readonly from: Ref;
    readonly values: Readonly<Record<string, string>>;
  }): InteractionRecord;

  /** Messages of a channel that everybody there sees, oldest first. */
  messages(channel: Ref): readonly MessageRecord[];
  /** Any message: deleted and ephemeral ones too. */
  message(ref: Ref): MessageRecord;
  /** All of a channel, with deleted and ephemeral ones, in the order in which they came. */
  allMessages(channel: Ref): readonly MessageRecord[];
  readonly interactions: readonly InteractionRecord[];
  /** When the bot showed that it types. */
  readonly typing: World['typing'];
  commands(guild?: Ref): readonly CommandRecord[];
  readonly commandWrites: CommandBook['writes'];
}

/** The acts of people on a world. */
export function community(options: {
  readonly world: World;
  readonly commands: CommandBook;
  readonly interactions: InteractionBook;
}): Community {
  const { world, commands, interactions } = options;
  const use = (kind: 'command' | 'autocomplete', typed: TypedCommand): InteractionRecord => {
    const guildId = must(world.channels, typed.channel, 'channel').wire.guild_id;
    const command = commands.find(guildId, typed.name);
    if (command === undefined || !isOffered(command, guildId === undefined)) {
      throw new Error(`No slash command /${typed.name} is offered here: register it first`);
    }
    const data = { id: command.id, name: typed.name, type: 1, options: typedOptions(command, typed) };
    return interact(world, interactions, { kind, channel: typed.channel, from: typed.from, data });
  };
  return {
    bot: world.bot,
    applicationId: world.applicationId,
    user: (user) => addUser(world, user),
    rename: (user, names) => renameUser(world, user, names),
    guild: (guild) => addGuild(world, guild),
    guildDelete: (guild, how) => removeGuild(world, guild, how?.isUnavailable),
    guildRestore: (guild) => restoreGuild(world, guild),
    role: (guild, name) => addRole(world, guild, name),
    join: (guild, user, member) => joinGuild(world, guild, user, member),
    leave: (guild, user) => leaveGuild(world, guild, user),
    changeMember: (guild, user, member) => updateMember(world, guild, user, member),
    channel: (channel) => addChannel(world, channel),
    changeChannel: (channel, change) => updateChannel(world, channel, change),
    channelDelete: (channel) => void removeChannel(world, channel),
    createThread: (thread) => addThread(world, thread),
    joinThread: (thread, user) => joinThread(world, thread, user),
    leaveThread: (thread, user) => leaveThread(world, thread, user),
    direct: (user) => openDirectMessages(world, user),

    say: (said) => say(world, said),
    edit: (message, change) => editMessage(world, findMessage(world, message), change),
    remove: (message) => removeMessage(world, findMessage(world, message)),
    react: ({ message, from, emoji, isOn = true }) =>
      setReaction(world, findMessage(world, message), { userId: idOf(from), emoji, isOn }),
    command: (typed) => use('command', typed),
    autocomplete: (typed) => use('autocomplete', typed),
    press: ({ message: ref, customId, from, values, isForged = false }) => {
      const message = findMessage(world, ref);
      const part: Fields = isForged ? { type: 2 } : pressable(message, customId, idOf(from));
      const data = {
        custom_id: customId,
        component_type: part.type,
        ...(values === undefined ? {} : { values }),
      };
      const channel = message.wire.channel_id;
      return interact(world, interactions, { kind: 'component', channel, from, data, message });
    },
    submitModal: ({ interaction, from, values }) => {
      const modal = interaction.answer?.type === 9 ? interaction.answer.data : undefined;
      if (modal === undefined) throw new Error(`Interaction ${interaction.id} was not answered with a form`);
      const data = { custom_id: modal.custom_id, components: filled(modal, values) };
      const { message, channel } = interaction;
      return interact(world, interactions, { kind: 'modal', channel: channel.wire.id, from, data, message });
    },

    messages: (channel) => visibleMessages(must(world.channels, channel, 'channel')),
    message: (ref) => findMessage(world, ref),
    allMessages: (channel) => [...must(world.channels, channel, 'channel').messages.values()],
    interactions: interactions.list,
    typing: world.typing,
    commands: (guild) => commands.list(guild === undefined ? undefined : idOf(guild)),
    commandWrites: commands.writes,
  };
}

/** Commands may be kept to guilds (0) or to direct messages with the bot (1). */
function isOffered({ definition }: CommandRecord, isDirect: boolean): boolean {
  return Array.isArray(definition.contexts) ? definition.contexts.includes(isDirect ? 1 : 0) : true;
}

/** The rows of a form with what was typed. @throws Error for an input that the form does not have */
function filled(modal: Fields, values: Readonly<Record<string, string>>): readonly Fields[] {
  const rows = (modal.components ?? []) as readonly Fields[]; // safe: checked when it was answered
  const known = new Set<string>();
  const fill = (input: Fields): Fields => {
    const customId = String(input.custom_id);
    known.add(customId);
    return {
      type: input.type,
      id: input.id ?? 0,
      custom_id: customId,
      value: values[customId] ?? input.value ?? '',
    };
  };
  const out = rows.map((row): Fields => {
    const one = row.component as Fields | undefined; // safe: an object, by the specification
    if (one !== undefined) return { type: row.type, id: row.id ?? 0, component: fill(one) };
    const inputs = (row.components ?? []) as readonly Fields[]; // safe: a list, by the specification
    return { type: row.type, id: row.id ?? 0, components: inputs.map(fill) };
  });
  const stray = Object.keys(values).find((name) => !known.has(name));
  if (stray !== undefined) throw new Error(`The form has no input ${stray}`);
  return out;
}
