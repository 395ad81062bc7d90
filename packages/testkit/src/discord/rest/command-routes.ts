import { type CommandRecord, commandWire } from '../world/commands.ts';
import type { Fields, Snowflake } from '../world/wire.ts';
import { bodyOf, guildFor, param } from './access.ts';
import type { Answer, DiscordCall } from './call.ts';
import { checkCommands } from './command-limits.ts';
import { refusals } from './refusal.ts';
import type { RestContext, Routes } from './router.ts';

/** Registering slash commands, globally and for one guild. */
export const commandRoutes: Routes = {
  ...scoped('/applications/{application_id}/commands'),
  ...scoped('/applications/{application_id}/guilds/{guild_id}/commands'),
};

function scoped(path: string): Routes {
  return {
    [`GET ${path}`]: (call, context) =>
      ok(context.commands.list(scopeOf(call, context)).map((record) => wire(context, record))),
    [`PUT ${path}`]: (call, context) => {
      const definitions = (call.body ?? []) as readonly Fields[]; // safe: a list of objects, by the specification
      refuse(definitions, []);
      const records = context.commands.replace(scopeOf(call, context), definitions);
      return ok(records.map((record) => wire(context, record)));
    },
    [`POST ${path}`]: (call, context) => {
      refuse([bodyOf(call)], undefined);
      const { record, isNew } = context.commands.put(scopeOf(call, context), bodyOf(call));
      return { status: isNew ? 201 : 200, body: wire(context, record) };
    },
    [`GET ${path}/{command_id}`]: (call, context) => ok(wire(context, commandFor(call, context))),
    [`PATCH ${path}/{command_id}`]: (call, context) => {
      const before = commandFor(call, context);
      const definition = { ...before.definition, ...bodyOf(call) };
      refuse([definition], undefined);
      return ok(wire(context, context.commands.put(scopeOf(call, context), definition).record));
    },
    [`DELETE ${path}/{command_id}`]: (call, context) => {
      const isGone = context.commands.remove(scopeOf(call, context), commandFor(call, context).id);
      return { status: isGone ? 204 : 404 };
    },
  };
}

function ok(body: unknown): Answer {
  return { status: 200, body };
}

/** @param at where the list stands in the body; undefined: the body is the command */
function refuse(definitions: readonly Fields[], at: readonly string[] | undefined): void {
  const problems = checkCommands(definitions, at);
  if (problems.length > 0) throw refusals.badBody(problems);
}

function scopeOf(call: DiscordCall, { world }: RestContext): Snowflake | undefined {
  if (param(call, 'application_id') !== world.applicationId) throw refusals.missingAccess();
  return call.params.guild_id === undefined ? undefined : guildFor(world, call).id;
}

function commandFor(call: DiscordCall, context: RestContext): CommandRecord {
  const id = param(call, 'command_id');
  const found = context.commands.list(scopeOf(call, context)).find((record) => record.id === id);
  if (found === undefined) throw refusals.unknownCommand();
  return found;
}

function wire({ world }: RestContext, record: CommandRecord): Fields {
  return commandWire(world.applicationId, record);
}
