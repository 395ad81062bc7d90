import {
  addThread,
  joinThread,
  leaveThread,
  openDirectMessages,
  removeChannel,
  updateChannel,
} from '../world/channels.ts';
import { guildBasics } from '../world/guild-wire.ts';
import { addMessage } from '../world/messages.ts';
import { type Fields, isThread, type WireChannel } from '../world/wire.ts';
import type { World } from '../world/world.ts';
import { bodyOf, channelFor, guildFor, messageFor, param } from './access.ts';
import type { Answer, DiscordCall } from './call.ts';
import { newMessage } from './message-body.ts';
import { refusals } from './refusal.ts';
import type { Routes } from './router.ts';

/** The bot itself, users, guilds and members. */
export const peopleRoutes: Routes = {
  'GET /gateway': (_call, { gateway }) => ok({ url: gateway().url }),
  'GET /gateway/bot': (_call, { gateway }) => {
    const { url, sessionStartLimit } = gateway();
    return ok({ url, shards: 1, session_start_limit: sessionStartLimit });
  },
  'GET /users/@me': (_call, { world }) =>
    ok({ ...world.bot, mfa_enabled: false, locale: 'en-US', verified: true, email: null }),
  'GET /users/@me/guilds': (_call, { world }) =>
    ok(
      [...world.guilds.values()].map((guild) => ({ ...guildBasics(guild), owner: false, permissions: '0' })),
    ),
  'GET /users/{user_id}': (call, { world }) => {
    const user = world.users.get(param(call, 'user_id'));
    if (user === undefined) throw refusals.unknownUser();
    return ok(user);
  },
  'POST /users/@me/channels': (call, { world }) => {
    const userId = String(bodyOf(call).recipient_id);
    if (!world.users.has(userId)) throw refusals.unknownUser();
    return ok(openDirectMessages(world, userId));
  },
  'GET /applications/@me': (_call, { world }) => ok(applicationWire(world)),
  'GET /oauth2/applications/@me': (_call, { world }) => ok(applicationWire(world)),
  'GET /guilds/{guild_id}': (call, { world }) => ok(guildBasics(guildFor(world, call))),
  'GET /guilds/{guild_id}/channels': (call, { world }) =>
    ok(channelsOf(world, call).filter((channel) => !isThread(channel))),
  'GET /guilds/{guild_id}/roles': (call, { world }) => ok([...guildFor(world, call).roles.values()]),
  'GET /guilds/{guild_id}/members': (call, { world }) => ok([...guildFor(world, call).members.values()]),
  'GET /guilds/{guild_id}/members/{user_id}': (call, { world }) => {
    const member = guildFor(world, call).members.get(param(call, 'user_id'));
    if (member === undefined) throw refusals.unknownMember();
    return ok(member);
  },
  'GET /guilds/{guild_id}/threads/active': (call, { world }) =>
    ok({
      threads: channelsOf(world, call).filter((channel) => channel.thread_metadata?.archived === false),
      members: [],
    }),
};

/** Channels and their threads. */
export const channelRoutes: Routes = {
  'GET /channels/{channel_id}': (call, { world }) => ok(channelFor(world, call).wire),
  'PATCH /channels/{channel_id}': (call, { world }) => {
    const { name, topic, archived, locked } = bodyOf(call);
    const change = {
      ...(typeof name === 'string' ? { name } : {}),
      ...(typeof topic === 'string' ? { topic } : {}),
      ...(typeof archived === 'boolean' ? { isArchived: archived } : {}),
      ...(typeof locked === 'boolean' ? { isLocked: locked } : {}),
    };
    return ok(updateChannel(world, channelFor(world, call).wire.id, change));
  },
  'DELETE /channels/{channel_id}': (call, { world }) =>
    ok(removeChannel(world, channelFor(world, call).wire.id)),
  'POST /channels/{channel_id}/messages/{message_id}/threads': (call, { world }) => {
    const message = messageFor(world, call).wire.id;
    return { status: 201, body: makeThread(call, world, message) };
  },
  'POST /channels/{channel_id}/threads': (call, context) => {
    const first = bodyOf(call).message as Fields | undefined; // safe: an object, by the specification
    const parts = first === undefined ? undefined : newMessage(first, call, context);
    const thread = makeThread(call, context.world);
    const channel = context.world.channels.get(thread.id);
    if (parts !== undefined && channel !== undefined) {
      addMessage(context.world, { channel, author: context.world.bot, ...parts });
    }
    return { status: 201, body: channel?.wire ?? thread };
  },
  'PUT /channels/{channel_id}/thread-members/@me': (call, { world }) =>
    threadMember(call, world, world.bot.id, true),
  'DELETE /channels/{channel_id}/thread-members/@me': (call, { world }) =>
    threadMember(call, world, world.bot.id, false),
  'PUT /channels/{channel_id}/thread-members/{user_id}': (call, { world }) =>
    threadMember(call, world, param(call, 'user_id'), true),
  'DELETE /channels/{channel_id}/thread-members/{user_id}': (call, { world }) =>
    threadMember(call, world, param(call, 'user_id'), false),
  'GET /channels/{channel_id}/thread-members': (call, { world }) => {
    const { wire, threadMembers } = channelFor(world, call);
    const join_timestamp = wire.thread_metadata?.create_timestamp;
    return ok([...threadMembers].map((user_id) => ({ id: wire.id, user_id, join_timestamp, flags: 0 })));
  },
};

function ok(body: unknown): Answer {
  return { status: 200, body };
}

function channelsOf(world: World, call: DiscordCall): WireChannel[] {
  const { id } = guildFor(world, call);
  return [...world.channels.values()]
    .filter(({ wire, isHidden }) => wire.guild_id === id && !isHidden)
    .map(({ wire }) => wire);
}

function makeThread(call: DiscordCall, world: World, message?: string): WireChannel {
  const channel = channelFor(world, call).wire.id;
  const { name, type } = bodyOf(call);
  return addThread(world, {
    channel,
    from: world.bot,
    name: String(name),
    isPrivate: type === 12,
    ...(message === undefined ? {} : { message }),
  });
}

function threadMember(call: DiscordCall, world: World, userId: string, isIn: boolean): Answer {
  const thread = channelFor(world, call).wire;
  if (!world.users.has(userId)) throw refusals.unknownUser();
  if (isIn) joinThread(world, thread, userId);
  else leaveThread(world, thread, userId);
  return { status: 204 };
}

/** The application, with the two switches of privileged intents as its flags show them. */
function applicationWire(world: World): Fields {
  const messageContent = 1 << 18;
  return {
    id: world.applicationId,
    name: world.bot.username,
    icon: null,
    description: '',
    type: null,
    bot: world.bot,
    bot_public: false,
    bot_require_code_grant: false,
    verify_key: '0'.repeat(64),
    flags: world.mayReadContent ? messageContent : 0,
    flags_new: String(world.mayReadContent ? messageContent : 0),
    redirect_uris: [],
    interactions_endpoint_url: null,
    role_connections_verification_url: null,
    owner: world.bot,
    approximate_guild_count: world.guilds.size,
    approximate_user_install_count: 0,
    approximate_user_authorization_count: 0,
    explicit_content_filter: 0,
    team: null,
    eligible_oauth2_scopes: [],
  };
}
