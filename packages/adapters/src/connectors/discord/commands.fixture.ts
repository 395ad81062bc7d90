import type { CommandOption, DiscordCommand } from './commands.ts';

const id: CommandOption = {
  name: 'id',
  help: 'Id as it was shown, or its first characters',
  isRequired: true,
};

/**
 * A menu for tests; the program makes its own from what the engine understands.
 * One option per argument, in the order in which they follow the name as text.
 * Private are those that speak of the asker only; the others are answered where everyone can read along, as a typed question would be.
 */
export const DISCORD_COMMANDS: readonly DiscordCommand[] = [
  {
    name: 'task',
    help: 'Give the assistant a task',
    options: [{ name: 'text', help: 'What is to be done', isRequired: true }],
  },
  {
    name: 'run',
    help: 'Run a skill',
    options: [
      { name: 'skill', help: 'Name of the skill', isRequired: true, suggests: 'run' },
      { name: 'input', help: 'What the skill gets to work on' },
    ],
  },
  {
    name: 'search',
    help: 'Search the notes of this workspace',
    options: [{ name: 'query', help: 'Words to look for', isRequired: true }],
  },
  {
    name: 'open',
    help: 'Show a note',
    options: [{ name: 'path', help: 'Its path', isRequired: true, suggests: 'open' }],
  },
  { name: 'approve', help: 'Approve what is asked', options: [id] },
  { name: 'deny', help: 'Deny what is asked', options: [id, { name: 'reason', help: 'Why' }] },
  { name: 'withdraw', help: 'Take a request of yours back', options: [id] },
  { name: 'abort', help: 'Stop a task', options: [id] },
  {
    name: 'steer',
    help: 'Say more to your running task',
    options: [{ name: 'text', help: 'What it should know', isRequired: true }],
  },
  { name: 'status', help: 'What is going on', isPrivate: true },
  { name: 'new', help: 'Begin a fresh conversation' },
  { name: 'reset', help: 'Begin a fresh conversation' },
  {
    name: 'workspace',
    help: 'Choose the workspace of this conversation',
    where: 'direct',
    options: [{ name: 'id', help: 'Workspace', isRequired: true }],
  },
  {
    name: 'panic',
    help: 'Stop everything at once',
    options: [
      {
        name: 'state',
        help: 'on stops everything; status only asks',
        isRequired: true,
        choices: ['on', 'status'],
      },
    ],
  },
  {
    name: 'admin_channel',
    help: 'Make this channel the place of staff',
    where: 'server',
    options: [{ name: 'state', help: 'What to ask for', isRequired: true, choices: ['enable', 'disable'] }],
  },
  { name: 'whoami', help: 'Who you are here, and what you may do', isPrivate: true },
  { name: 'help', help: 'What can be asked of me', isPrivate: true },
  { name: 'start', help: 'Say hello', isPrivate: true },
  { name: 'pair', help: 'Link this account with a user', isPrivate: true },
];
