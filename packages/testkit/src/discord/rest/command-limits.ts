import type { Fields } from '../world/wire.ts';
import type { Problem } from './refusal.ts';
import { charactersOf } from './schema.ts';

const COMMANDS = 100;
const OPTIONS = 25;
const TOTAL = 8000;
const CHAT_INPUT = 1;
const NAME = /^[-_'\p{L}\p{N}\p{sc=Deva}\p{sc=Thai}]{1,32}$/u;

/**
 * What is wrong with commands that are to be registered.
 * @param at where the list stands in the body; undefined: the body is one command
 */
export function checkCommands(
  definitions: readonly Fields[],
  at: readonly string[] | undefined,
): readonly Problem[] {
  const found = definitions.flatMap((one, index) =>
    checkCommand(one, at === undefined ? [] : [...at, String(index)]),
  );
  const names = definitions.map(({ name, type }) => `${String(type ?? CHAT_INPUT)}:${String(name)}`);
  if (new Set(names).size < names.length) {
    found.push(bad([], 'APPLICATION_COMMANDS_DUPLICATE_NAME', 'Application command names must be unique'));
  }
  if (definitions.length > COMMANDS)
    found.push(bad([], 'BASE_TYPE_MAX_LENGTH', `At most ${COMMANDS} commands`));
  return found;
}

function checkCommand(command: Fields, at: readonly string[]): Problem[] {
  if ((command.type ?? CHAT_INPUT) !== CHAT_INPUT) return [];
  const total = sizeOf(command);
  return [
    ...checkPart(command, at),
    ...(total > TOTAL
      ? [bad(at, 'APPLICATION_COMMAND_TOO_LARGE', `Has ${total} of ${TOTAL} characters`)]
      : []),
  ];
}

/** A command or an option: its names, and the options in it. */
function checkPart(part: Fields, at: readonly string[]): Problem[] {
  const found: Problem[] = [];
  const name = typeof part.name === 'string' ? part.name : '';
  if (!NAME.test(name) || name !== name.toLowerCase()) {
    found.push(bad([...at, 'name'], 'APPLICATION_COMMAND_INVALID_NAME', 'Command name is invalid'));
  }
  const words = typeof part.description === 'string' ? charactersOf(part.description) : 0;
  if (words < 1 || words > 100) {
    found.push(bad([...at, 'description'], 'BASE_TYPE_BAD_LENGTH', 'Must be between 1 and 100 in length.'));
  }
  if (part.autocomplete === true && listOf(part.choices).length > 0) {
    found.push(
      bad([...at, 'autocomplete'], 'APPLICATION_COMMAND_OPTIONS_AUTOCOMPLETE', 'Not together with choices'),
    );
  }
  return [...found, ...checkOptions(listOf(part.options), [...at, 'options'])];
}

function checkOptions(options: readonly Fields[], at: readonly string[]): Problem[] {
  const found = options.flatMap((option, index) => checkPart(option, [...at, String(index)]));
  if (options.length > OPTIONS) found.push(bad(at, 'BASE_TYPE_MAX_LENGTH', `At most ${OPTIONS} options`));
  if (new Set(options.map(({ name }) => name)).size < options.length) {
    found.push(bad(at, 'APPLICATION_COMMAND_OPTIONS_NAME_INVALID', 'Option names must be unique'));
  }
  const firstFree = options.findIndex(({ required }) => required !== true);
  if (firstFree >= 0 && options.slice(firstFree).some(({ required }) => required === true)) {
    found.push(bad(at, 'APPLICATION_COMMAND_OPTIONS_REQUIRED_INVALID', 'Required options go before others'));
  }
  return found;
}

function sizeOf(part: Fields): number {
  const texts = [
    part.name,
    part.description,
    ...listOf(part.choices).flatMap(({ name, value }) => [name, value]),
  ];
  const own = texts.reduce<number>(
    (sum, text) => sum + (typeof text === 'string' ? charactersOf(text) : 0),
    0,
  );
  return listOf(part.options).reduce((sum, option) => sum + sizeOf(option), own);
}

function listOf(value: unknown): readonly Fields[] {
  return Array.isArray(value) ? value : [];
}

function bad(at: readonly string[], code: string, message: string): Problem {
  return { at, code, message };
}
