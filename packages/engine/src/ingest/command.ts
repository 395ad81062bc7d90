/** A command of chat, parsed. */
export interface ChatCommand {
  readonly name: CommandName;
  /** Everything after the name, trimmed. */
  readonly rest: string;
}

/** Commands that this version carries out, with their help. */
export const COMMANDS = {
  task: '/task TEXT - do something; "research" as first word makes it a research task',
  search: '/search QUERY - find passages in the notes',
  open: '/open PATH - show a note, e.g. faq.md:12-20',
  approve: '/approve ID - allow what waits (staff)',
  deny: '/deny ID [reason] - refuse what waits (staff)',
  withdraw: '/withdraw ID - take back what you asked for',
  abort: '/abort ID - stop a task',
  steer: '/steer TEXT - add words to your running task',
  status: '/status - what runs and what waits here',
  new: '/new - begin a fresh conversation',
  reset: '/reset - the same as /new',
  panic: '/panic on|status - stop everything (staff)',
  hub: '/hub - ask that this place becomes the admin hub; an admin signs it (staff)',
  admin_channel: '/admin_channel enable|disable - the same as /hub, and how to end it (staff)',
  whoami: '/whoami - who you are here',
  pair: '/pair - link this account with a person (as a direct message)',
  help: '/help - this list',
  start: '/start - what this is',
} as const;
export type CommandName = keyof typeof COMMANDS;

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
