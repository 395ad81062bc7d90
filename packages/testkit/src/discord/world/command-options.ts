import type { CommandRecord } from './commands.ts';
import type { Fields } from './wire.ts';

/** What a user typed: values by the name of the option. */
export interface TypedOptions {
  readonly group?: string;
  readonly subcommand?: string;
  readonly values?: Readonly<Record<string, string | number | boolean>>;
  /** The option in which the cursor stands, when suggestions are asked for. */
  readonly focused?: string;
}

const SUBCOMMAND = 1;
const GROUP = 2;

/**
 * The options of an interaction, with the types that the command was registered with.
 * @throws Error when the real client would not let a user send this
 */
export function typedOptions(command: CommandRecord, typed: TypedOptions): readonly Fields[] {
  const path = [typed.group, typed.subcommand].filter((name) => name !== undefined);
  let options = listOf(command.definition.options);
  const wrappers: Fields[] = [];
  for (const name of path) {
    const found = options.find((option) => option.name === name && isBranch(option));
    if (found === undefined) throw new Error(`/${String(command.definition.name)} has no subcommand ${name}`);
    wrappers.push({ name, type: found.type });
    options = listOf(found.options);
  }
  const values = leaves(command, options, typed);
  return wrappers.reduceRight<readonly Fields[]>(
    (inner, wrapper) => [{ ...wrapper, options: inner }],
    values,
  );
}

function leaves(command: CommandRecord, options: readonly Fields[], typed: TypedOptions): readonly Fields[] {
  const values = typed.values ?? {};
  const refuse = (what: string): never => {
    throw new Error(`/${String(command.definition.name)}: ${what}`);
  };
  if (options.some(isBranch)) refuse('name a subcommand');
  for (const name of Object.keys(values)) {
    if (!options.some((option) => option.name === name)) refuse(`no option ${name}`);
  }
  const found: Fields[] = [];
  for (const option of options) {
    const name = String(option.name);
    const value = values[name];
    const isFocused = typed.focused === name;
    if (value === undefined) {
      if (isFocused) found.push({ name, type: option.type, value: '', focused: true });
      else if (option.required === true && typed.focused === undefined) refuse(`option ${name} is required`);
      continue;
    }
    if (isFocused && option.autocomplete !== true) refuse(`option ${name} has no autocomplete`);
    found.push({ name, type: option.type, value, ...(isFocused ? { focused: true } : {}) });
  }
  return found;
}

function isBranch(option: Fields): boolean {
  return option.type === SUBCOMMAND || option.type === GROUP;
}

function listOf(value: unknown): readonly Fields[] {
  return Array.isArray(value) ? (value as Fields[]) : []; // safe: checked when it was registered
}
