import type { Fields, Snowflake } from './wire.ts';
import type { ChannelRecord, Pinged, World } from './world.ts';

/** What a text names, whether or not anybody is notified. */
interface Named {
  readonly users: readonly Snowflake[];
  readonly roles: readonly Snowflake[];
  readonly everyone: boolean;
}

function namedIn(content: string): Named {
  return {
    users: [...content.matchAll(/<@!?(\d+)>/g)].map(([, id = '']) => id),
    roles: [...content.matchAll(/<@&(\d+)>/g)].map(([, id = '']) => id),
    everyone: /@(everyone|here)\b/.test(content),
  };
}

/**
 * Who is notified by a text: what it names, cut down to what `allowed_mentions` lets through. Saying nothing lets
 * everything through, which is why a bot must always say something.
 * @param replied the author of the message that is answered
 */
export function pingedBy(
  world: World,
  channel: ChannelRecord,
  content: string,
  allowed: Fields | undefined,
  replied?: Snowflake,
): Pinged {
  const named = namedIn(content);
  const parse = listOf(allowed?.parse);
  const filter = (kind: 'users' | 'roles', ids: readonly Snowflake[]): readonly Snowflake[] => {
    if (allowed === undefined || parse.includes(kind)) return ids;
    const listed = listOf(allowed[kind]);
    return ids.filter((id) => listed.includes(id));
  };
  const pingsReplied = allowed === undefined || allowed.replied_user === true;
  const guild = channel.wire.guild_id === undefined ? undefined : world.guilds.get(channel.wire.guild_id);
  const users = [
    ...filter('users', named.users),
    ...(replied !== undefined && pingsReplied ? [replied] : []),
  ];
  return {
    users: unique(users.filter((id) => world.users.has(id))),
    roles: unique(filter('roles', named.roles).filter((id) => guild?.roles.has(id) ?? false)),
    everyone: named.everyone && guild !== undefined && (allowed === undefined || parse.includes('everyone')),
  };
}

function listOf(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : [];
}

function unique(ids: readonly Snowflake[]): readonly Snowflake[] {
  return [...new Set(ids)];
}
