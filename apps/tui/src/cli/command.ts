import type { AdminClient } from '../client/client.ts';
import type { World } from './world.ts';

/** One call of a command. */
export interface CommandRun {
  readonly world: World;
  /** In the order of the command's arguments; a list for a rest argument. */
  readonly args: readonly (string | readonly string[] | undefined)[];
  readonly options: Readonly<Record<string, unknown>>;
  readonly json: boolean;
  /** Usage of every command, for completion. */
  readonly usages: readonly string[];
  /** Connects at the first call. */
  client(): Promise<AdminClient>;
  /** Prints one JSON line, or the text for people. */
  show(value: unknown, text: () => string): void;
}

/** @returns exit code; nothing is 0 */
export type CommandHandler = (run: CommandRun) => Promise<number | undefined>;

/** A command as data, so that help, completion and the guide come from one place. Nothing heavy is loaded before `load`. */
export interface CommandSpec {
  /** Words and arguments, e.g. `task show <id>`. */
  readonly usage: string;
  readonly about: string;
  /** Flags, what they mean. */
  readonly options?: readonly (readonly [flags: string, about: string])[];
  /** One line that works, for the guide. */
  readonly example: string;
  load(): Promise<CommandHandler>;
}

/** The n-th argument as text. */
export function textArg(run: CommandRun, index: number): string {
  const value = run.args[index];
  if (typeof value === 'string') return value;
  return Array.isArray(value) ? value.join(' ') : '';
}

/** An option's text, when it was given. */
export function textOption(run: CommandRun, name: string): string | undefined {
  const value = run.options[name];
  return typeof value === 'string' ? value : undefined;
}

/** A list option: `a,b` or given several times. */
export function listOption(run: CommandRun, name: string): string[] | undefined {
  const value = run.options[name];
  const texts = Array.isArray(value) ? value : typeof value === 'string' ? [value] : undefined;
  return texts
    ?.flatMap((text) => String(text).split(','))
    .map((text) => text.trim())
    .filter((text) => text !== '');
}
