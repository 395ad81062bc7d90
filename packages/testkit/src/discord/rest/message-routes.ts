import { addMessage, editMessage, removeMessage, setReaction, visibleMessages } from '../world/messages.ts';
import { compareIds } from '../world/snowflake.ts';
import { restMessage } from '../world/visible.ts';
import type { Fields } from '../world/wire.ts';
import type { ChannelRecord, MessageRecord, World } from '../world/world.ts';
import { bodyOf, channelFor, liveMessage, messageFor, param } from './access.ts';
import type { Answer, DiscordCall } from './call.ts';
import { changedMessage, newMessage } from './message-body.ts';
import { Refusal, refusals } from './refusal.ts';
import type { RestContext, Routes } from './router.ts';

/** "Past few minutes" of the documentation. */
const NONCE_MS = 5 * 60_000;
const MESSAGES = '/channels/{channel_id}/messages';
const MESSAGE = `${MESSAGES}/{message_id}`;
const REACTIONS = `${MESSAGE}/reactions`;

export const messageRoutes: Routes = {
  [`POST ${MESSAGES}`]: createMessage,
  [`GET ${MESSAGES}`]: (call, { world }) => ok(listMessages(call, world)),
  [`GET ${MESSAGE}`]: (call, { world }) => ok(restMessage(world, messageFor(world, call).wire)),
  [`PATCH ${MESSAGE}`]: (call, context) => {
    const record = ownMessage(call, context.world);
    return ok(editMessage(context.world, record, changedMessage(bodyOf(call), call, context)));
  },
  [`DELETE ${MESSAGE}`]: (call, { world }) => {
    removeMessage(world, messageFor(world, call));
    return { status: 204 };
  },
  [`POST ${MESSAGES}/bulk-delete`]: (call, { world }) => {
    const channel = channelFor(world, call);
    const ids = (bodyOf(call).messages ?? []) as readonly string[]; // safe: a list of ids, by the specification
    for (const id of ids) removeMessage(world, liveMessage(channel, id));
    return { status: 204 };
  },
  'POST /channels/{channel_id}/typing': (call, { world }) => {
    world.typing.push({ channelId: channelFor(world, call).wire.id, atMs: world.clock.nowMs() });
    return { status: 204 };
  },
  [`PUT ${REACTIONS}/{emoji_name}/@me`]: (call, { world }) => react(call, world, world.bot.id, true),
  [`DELETE ${REACTIONS}/{emoji_name}/@me`]: (call, { world }) => react(call, world, world.bot.id, false),
  [`DELETE ${REACTIONS}/{emoji_name}/{user_id}`]: (call, { world }) =>
    react(call, world, param(call, 'user_id'), false),
  [`GET ${REACTIONS}/{emoji_name}`]: (call, { world }) => {
    const users = messageFor(world, call).reactions.get(param(call, 'emoji_name')) ?? [];
    return ok([...users].flatMap((id) => world.users.get(id) ?? []));
  },
};

function ok(body: unknown): Answer {
  return { status: 200, body };
}

function createMessage(call: DiscordCall, context: RestContext): Answer {
  const { world } = context;
  const channel = channelFor(world, call);
  const body = bodyOf(call);
  const known = body.enforce_nonce === true ? sentWith(world, body.nonce) : undefined;
  if (known !== undefined) return ok(known.wire);
  if (channel.wire.thread_metadata?.locked === true) throw new Refusal(403, 50083, 'Thread is archived');
  const nonce = (body.nonce ?? undefined) as string | number | undefined; // safe: by the specification
  const record = addMessage(world, {
    channel,
    author: world.bot,
    ...newMessage(body, call, context),
    nonce,
    repliesTo: repliedBy(world, channel, body),
  });
  if (nonce !== undefined) world.nonces.set(String(nonce), record);
  return ok(record.wire);
}

function sentWith(world: World, nonce: unknown): MessageRecord | undefined {
  if (nonce === undefined || nonce === null) return undefined;
  const found = world.nonces.get(String(nonce));
  return found !== undefined && world.clock.nowMs() - found.createdAtMs < NONCE_MS ? found : undefined;
}

function repliedBy(world: World, channel: ChannelRecord, body: Fields): MessageRecord | undefined {
  const reference = body.message_reference as Fields | null | undefined; // safe: by the specification
  if (reference === undefined || reference === null) return undefined;
  const other = reference.channel_id ?? channel.wire.id;
  const found = world.channels.get(String(other))?.messages.get(String(reference.message_id));
  if (other === channel.wire.id && found !== undefined && found.deletedAtMs === undefined) return found;
  if (reference.fail_if_not_exists === false) return undefined;
  throw refusals.badBody([
    { at: ['message_reference'], code: 'REPLIES_UNKNOWN_MESSAGE', message: 'Unknown message' },
  ]);
}

function listMessages(call: DiscordCall, world: World): readonly Fields[] {
  const all = visibleMessages(channelFor(world, call));
  const limit = Number(call.query.get('limit') ?? 50);
  if (!(limit >= 1 && limit <= 100)) {
    throw refusals.badBody([{ at: ['limit'], code: 'NUMBER_TYPE_RANGE', message: 'Must be from 1 to 100' }]);
  }
  const [before, after, around] = ['before', 'after', 'around'].map((name) => call.query.get(name));
  return pick(all, { before, after, around, limit })
    .reverse()
    .map(({ wire }) => ({ ...restMessage(world, wire) }));
}

interface Page {
  readonly before: string | null | undefined;
  readonly after: string | null | undefined;
  readonly around: string | null | undefined;
  readonly limit: number;
}

/** A page of messages, oldest first: the first ones after an id, or the last ones before it. */
function pick(all: readonly MessageRecord[], { before, after, around, limit }: Page): MessageRecord[] {
  if (around != null) {
    const at = all.findIndex(({ wire }) => compareIds(wire.id, around) >= 0);
    const start = Math.max(0, (at < 0 ? all.length : at) - Math.floor(limit / 2));
    return all.slice(start, start + limit);
  }
  if (after != null) return all.filter(({ wire }) => compareIds(wire.id, after) > 0).slice(0, limit);
  return all.filter(({ wire }) => before == null || compareIds(wire.id, before) < 0).slice(-limit);
}

function ownMessage(call: DiscordCall, world: World): MessageRecord {
  const record = messageFor(world, call);
  if (record.wire.author.id !== world.bot.id) throw refusals.notYours();
  return record;
}

function react(call: DiscordCall, world: World, userId: string, isOn: boolean): Answer {
  setReaction(world, messageFor(world, call), { userId, emoji: param(call, 'emoji_name'), isOn });
  return { status: 204 };
}
