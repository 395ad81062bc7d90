import { isAtLeast, type Role } from '@agent-runtime/domain';

/** A command of chat, parsed. */
export interface ChatCommand {
  readonly name: CommandName;
  /** Everything after the name, trimmed. */
  readonly rest: string;
}

/** One argument; the last one takes the rest of the words. */
export interface CommandArg {
  /** Platforms with options show it: lower-case letters. */
  readonly name: string;
  /** `path` and skills are suggested while a person types, see `Suggest`. */
  readonly kind: 'text' | 'path' | 'id' | 'choice';
  readonly choices?: readonly string[] | undefined;
  readonly isRequired: boolean;
  /** What `Suggest` is asked about for it. */
  readonly suggest?: 'open' | 'run' | undefined;
}

/** A command of chat: what it is for, what it takes, and for whom it is. */
export interface CommandShape {
  readonly help: string;
  readonly args: readonly CommandArg[];
  /** The least role whose holders can use it; absent: everybody. */
  readonly least?: Role | undefined;
  /** Works in a direct talk alone. */
  readonly isDirect?: boolean | undefined;
  /** Another name of a command, understood but not in menus. */
  readonly isAlias?: boolean | undefined;
}

const text = (name: string): CommandArg => ({ name, kind: 'text', isRequired: true });
const id: CommandArg = { name: 'id', kind: 'id', isRequired: true };
const choice = (name: string, choices: readonly string[]): CommandArg => ({
  name,
  kind: 'choice',
  choices,
  isRequired: true,
});
const maybe = (arg: CommandArg): CommandArg => ({ ...arg, isRequired: false });

/** Commands that this version carries out: parsing, /help and the native menus of platforms read this one table. */
export const COMMANDS = {
  task: {
    help: 'do something; "research" as first word makes it a research task',
    args: [text('text')],
  },
  run: {
    help: 'have a skill done; without a name it lists them',
    args: [{ ...text('skill'), suggest: 'run' }, maybe(text('input'))],
    least: 'member',
  },
  search: { help: 'find passages in the notes', args: [text('query')], least: 'viewer' },
  open: {
    help: 'show a note, e.g. faq.md:12-20',
    args: [{ name: 'path', kind: 'path', isRequired: true, suggest: 'open' }],
    least: 'viewer',
  },
  approve: { help: 'allow what waits (staff)', args: [id], least: 'operator' },
  deny: { help: 'refuse what waits (staff)', args: [id, maybe(text('reason'))], least: 'operator' },
  withdraw: { help: 'take back what you asked for', args: [id], least: 'member' },
  abort: { help: 'stop a task, else your newest', args: [maybe(id)], least: 'member' },
  steer: { help: 'add words to your running task', args: [text('text')] },
  status: { help: 'what runs and what waits here', args: [], least: 'viewer' },
  new: { help: 'begin a fresh conversation', args: [], least: 'member' },
  reset: { help: 'the same as /new', args: [], least: 'member' },
  workspace: {
    help: 'which workspace this direct talk is about; without an id it lists them',
    args: [id],
    least: 'viewer',
    isDirect: true,
  },
  panic: {
    help: 'stop everything (staff)',
    args: [choice('state', ['on', 'status'])],
    least: 'operator',
  },
  hub: {
    help: 'ask that this place becomes the admin hub; an admin signs it (staff)',
    args: [],
    least: 'operator',
    isAlias: true,
  },
  admin_channel: {
    help: 'ask that this place becomes the admin hub, or how to end it (staff)',
    args: [choice('state', ['enable', 'disable'])],
    least: 'operator',
  },
  whoami: { help: 'who you are here', args: [] },
  pair: { help: 'link this account with a person (as a direct message)', args: [] },
  help: { help: 'what works here', args: [] },
  start: { help: 'what this is', args: [] },
} as const satisfies Readonly<Record<string, CommandShape>>;
export type CommandName = keyof typeof COMMANDS;

const SHAPES: Readonly<Record<string, CommandShape>> = COMMANDS;

/** How a command is typed, e.g. `/deny ID [reason]`. */
export function usageOf(name: CommandName): string {
  const { args } = SHAPES[name] ?? { args: [] };
  return [`/${name}`, ...args.map(argText)].join(' ');
}

function argText(arg: CommandArg): string {
  const shown = arg.choices === undefined ? arg.name.toUpperCase() : arg.choices.join('|');
  return arg.isRequired ? shown : `[${arg.name}]`;
}

/** One entry of a platform's native menu. */
export interface MenuEntry {
  readonly name: CommandName;
  /** At most 100 characters, no usage. */
  readonly help: string;
  readonly args: readonly CommandArg[];
  /** Whom it is for: menus for strangers leave the others out. */
  readonly least?: Role | undefined;
  /** Works in a direct talk alone. */
  readonly isDirect: boolean;
}

/** Commands as platforms register them: each once, under the name that stays. */
export function commandMenu(): readonly MenuEntry[] {
  return names()
    .filter((name) => SHAPES[name]?.isAlias !== true)
    .map((name) => {
      const { help = '', args = [], least, isDirect = false } = SHAPES[name] ?? {};
      return { name, help, args, least, isDirect };
    });
}

/** The lines of /help for somebody with this role in a place of this kind. */
export function helpLines(asked: { readonly role: Role | undefined; readonly isDirect: boolean }): string[] {
  return commandMenu()
    .filter(({ least }) => least === undefined || isAtLeast(asked.role, least))
    .filter(({ isDirect }) => !isDirect || asked.isDirect)
    .map(({ name, help }) => `${usageOf(name)} - ${help}`);
}

function names(): readonly CommandName[] {
  return Object.keys(COMMANDS) as CommandName[]; // safe: the keys of the table
}

export type ParsedText =
  | { readonly kind: 'command'; readonly command: ChatCommand }
  | { readonly kind: 'unknown'; readonly name: string }
  /** Addressed to another bot. */
  | { readonly kind: 'foreign' }
  | { readonly kind: 'text' };

const FORM = /^\/([A-Za-z][A-Za-z0-9_-]{0,31})(?:@([A-Za-z0-9_]{1,64}))?(?:\s+([\s\S]*))?$/;

/**
 * Reads a text as a command.
 * @param botName our own name on this platform; commands for other bots are none of ours
 */
export function parseCommand(text: string, botName: string): ParsedText {
  const match = FORM.exec(text.trim());
  if (match === null) return { kind: 'text' };
  const [, name = '', addressee, rest = ''] = match;
  if (addressee !== undefined && addressee.toLowerCase() !== botName.toLowerCase())
    return { kind: 'foreign' };
  const lower = name.toLowerCase();
  const known = lower.replaceAll('-', '_');
  if (!Object.hasOwn(COMMANDS, known)) return { kind: 'unknown', name: lower };
  return { kind: 'command', command: { name: known as CommandName, rest: rest.trim() } }; // safe: a key of the table
}
