import { createHash } from 'node:crypto';
import { type ConnectorMemory, canonicalJson, type JsonObject } from '@agent-runtime/domain';
import { ApplicationCommandOptionType, ApplicationCommandType, InteractionContextType } from 'discord.js';
import type { Api } from './rest.ts';

export interface CommandOption {
  readonly name: string;
  readonly help: string;
  /** Has to be given; those that have to come first. */
  readonly isRequired?: boolean | undefined;
  readonly choices?: readonly string[] | undefined;
  /** Discord asks while it is typed. */
  readonly suggests?: 'open' | 'run' | undefined;
}

export interface DiscordCommand {
  readonly name: string;
  readonly help: string;
  readonly options?: readonly CommandOption[] | undefined;
  /** The answer is about whoever asked, and nobody else sees it: a pairing code is worth an account. */
  readonly isPrivate?: boolean | undefined;
  /** Only where it means something. */
  readonly where?: 'direct' | 'server' | undefined;
}

/** As Discord takes it; fields that it fills in by itself are named, so that what it gives back can be compared. */
export function wireCommands(commands: readonly DiscordCommand[]): readonly JsonObject[] {
  return commands.map((command) => ({
    type: ApplicationCommandType.ChatInput,
    name: command.name,
    description: command.help,
    contexts: contextsOf(command),
    // Installed to a server, never to a person, who could carry it anywhere.
    integration_types: [0],
    options: (command.options ?? []).map((option) => ({
      type: ApplicationCommandOptionType.String,
      name: option.name,
      description: option.help,
      required: option.isRequired === true,
      ...(option.choices === undefined
        ? {}
        : { choices: option.choices.map((one) => ({ name: one, value: one })) }),
      ...(option.suggests === undefined ? {} : { autocomplete: true }),
    })),
  }));
}

function contextsOf({ where }: DiscordCommand): number[] {
  const { Guild, BotDM } = InteractionContextType;
  if (where === 'direct') return [BotDM];
  return where === 'server' ? [Guild] : [Guild, BotDM];
}

const KEY = 'commands';

/**
 * Makes Discord's menu ours, without a call more than needed: each new command is counted there, 200 a day.
 * @returns whether anything had to be written
 */
export async function registerCommands(
  deps: {
    readonly api: Api;
    readonly memory: ConnectorMemory;
    readonly application: string;
    readonly signal: AbortSignal;
  },
  commands: readonly DiscordCommand[],
): Promise<boolean> {
  const { api, memory, application, signal } = deps;
  const wanted = wireCommands(commands);
  const hash = hashOf(wanted);
  const route = `/applications/${application}/commands` as const;
  const shown = hashOf(await api.call({ method: 'GET', route, signal }));
  // What Discord made of our last set may differ from what it was given: both are kept.
  if (shown === hash || (await memory.get(KEY)) === `${hash}:${shown}`) return false;
  const made = await api.call({ method: 'PUT', route, body: wanted, signal });
  await memory.set(KEY, `${hash}:${hashOf(made)}`);
  return true;
}

/** Of what people see and type: Discord gives back more fields, in another order, and leaves out what is empty. */
function hashOf(commands: unknown): string {
  const list = Array.isArray(commands) ? commands : [];
  const plain = list.map(plainCommand).sort((a, b) => (String(a.name) < String(b.name) ? -1 : 1));
  return createHash('sha256').update(canonicalJson(plain)).digest('hex');
}

function plainCommand(command: JsonObject): JsonObject {
  const contexts = Array.isArray(command.contexts) ? command.contexts.map(String).sort() : [];
  const options = Array.isArray(command.options) ? command.options : [];
  return {
    name: String(command.name),
    description: String(command.description),
    contexts,
    // safe: read key by key, each made a plain value
    options: options.map((one) => plainOption(one as JsonObject)),
  };
}

function plainOption(option: JsonObject): JsonObject {
  const choices = Array.isArray(option.choices) ? option.choices : [];
  return {
    name: String(option.name),
    description: String(option.description),
    required: option.required === true,
    autocomplete: option.autocomplete === true,
    // safe: as above
    choices: choices.map((one) => String((one as JsonObject).value)),
  };
}
