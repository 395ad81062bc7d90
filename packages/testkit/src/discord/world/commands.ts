import type { Fields, Snowflake } from './wire.ts';

/** A registered slash command. */
export interface CommandRecord {
  readonly id: Snowflake;
  /** Changes with each change of the command. */
  readonly version: Snowflake;
  readonly guildId: Snowflake | undefined;
  readonly definition: Fields;
}

/** The commands of the application, globally and by guild. */
export interface CommandBook {
  list(guildId: Snowflake | undefined): readonly CommandRecord[];
  /** Replaces all of a scope. What is equal keeps its id and its version. */
  replace(guildId: Snowflake | undefined, definitions: readonly Fields[]): readonly CommandRecord[];
  /** Adds one, or overwrites that of the same name and type. */
  put(
    guildId: Snowflake | undefined,
    definition: Fields,
  ): { readonly record: CommandRecord; readonly isNew: boolean };
  remove(guildId: Snowflake | undefined, id: Snowflake): boolean;
  /** The command that a user of this guild sees under a name: the guild's own goes first. */
  find(guildId: Snowflake | undefined, name: string): CommandRecord | undefined;
  /** Calls that wrote, and commands that they really changed. */
  readonly writes: { readonly calls: number; readonly changed: number };
}

export function commandBook(nextId: () => Snowflake): CommandBook {
  const scopes = new Map<Snowflake | undefined, Map<string, CommandRecord>>();
  const writes = { calls: 0, changed: 0 };
  const scope = (guildId: Snowflake | undefined): Map<string, CommandRecord> => {
    const found = scopes.get(guildId) ?? new Map<string, CommandRecord>();
    scopes.set(guildId, found);
    return found;
  };
  const settle = (guildId: Snowflake | undefined, definition: Fields): CommandRecord => {
    const before = scope(guildId).get(keyOf(definition));
    if (before !== undefined && isSame(before.definition, definition)) return before;
    writes.changed += 1;
    const id = before?.id ?? nextId();
    return { id, version: nextId(), guildId, definition };
  };
  return {
    writes,
    list: (guildId) => [...scope(guildId).values()],
    replace: (guildId, definitions) => {
      writes.calls += 1;
      const settled = definitions.map((definition) => settle(guildId, definition));
      const names = new Set(definitions.map(keyOf));
      for (const [name] of scope(guildId)) if (!names.has(name)) writes.changed += 1;
      scopes.set(guildId, new Map(settled.map((record) => [keyOf(record.definition), record])));
      return settled;
    },
    put: (guildId, definition) => {
      writes.calls += 1;
      const key = keyOf(definition);
      const isNew = !scope(guildId).has(key);
      const record = settle(guildId, definition);
      scope(guildId).set(key, record);
      return { record, isNew };
    },
    remove: (guildId, id) => {
      writes.calls += 1;
      const found = [...scope(guildId)].find(([, record]) => record.id === id);
      if (found === undefined) return false;
      writes.changed += 1;
      return scope(guildId).delete(found[0]);
    },
    find: (guildId, name) => {
      const key = keyOf({ name });
      return (guildId === undefined ? undefined : scope(guildId).get(key)) ?? scope(undefined).get(key);
    },
  };
}

/** Commands of different types may share a name. */
function keyOf({ name, type }: Fields): string {
  return `${String(type ?? 1)}:${String(name)}`;
}

/** Order of members does not matter, nor do members that are not set. */
function isSame(left: unknown, right: unknown): boolean {
  return JSON.stringify(sorted(left)) === JSON.stringify(sorted(right));
}

function sorted(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(sorted);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value)
      .filter(([, member]) => member !== undefined && member !== null)
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .map(([name, member]) => [name, sorted(member)]),
  );
}

export function commandWire(applicationId: Snowflake, record: CommandRecord): Fields {
  const { definition } = record;
  return {
    ...definition,
    id: record.id,
    application_id: applicationId,
    version: record.version,
    ...(record.guildId === undefined ? {} : { guild_id: record.guildId }),
    type: definition.type ?? 1,
    description: definition.description ?? '',
    // Written as a number or as text, it is read back as text.
    default_member_permissions:
      definition.default_member_permissions == null ? null : String(definition.default_member_permissions),
    nsfw: definition.nsfw ?? false,
  };
}
