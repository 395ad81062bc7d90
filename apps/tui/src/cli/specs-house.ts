import type { CommandSpec } from './command.ts';
import { LIMIT } from './spec-options.ts';

const house = () => import('../command/house.ts');
const audit = () => import('../command/audit.ts');
const local = () => import('../command/local.ts');

/** The appliance itself. */
export const HOUSE_COMMANDS: readonly CommandSpec[] = [
  {
    usage: 'secret set <name>',
    about: 'Keep a secret; its value comes from standard input.',
    example: 'agent-runtime secret set LLM_API_KEY < key.txt',
    load: async () => (await house()).secretSet,
  },
  {
    usage: 'secret list',
    about: 'Names of secrets, never values.',
    example: 'agent-runtime secret list',
    load: async () => (await house()).secretList,
  },
  {
    usage: 'secret rm <name>',
    about: 'Forget a secret.',
    example: 'agent-runtime secret rm LLM_API_KEY',
    load: async () => (await house()).secretRm,
  },
  {
    usage: 'model list',
    about: 'Models that can be used.',
    example: 'agent-runtime model list',
    load: async () => (await house()).modelList,
  },
  {
    usage: 'panic on',
    about: 'Stop everything now.',
    example: 'agent-runtime panic on',
    load: async () => (await house()).panicOn,
  },
  {
    usage: 'panic off',
    about: 'Work again; nothing old is sent.',
    example: 'agent-runtime panic off',
    load: async () => (await house()).panicOff,
  },
  {
    usage: 'panic status',
    about: 'Is everything stopped?',
    example: 'agent-runtime panic status',
    load: async () => (await house()).panicStatus,
  },
  {
    usage: 'gate status',
    about: 'Is the gate closed after a restore?',
    example: 'agent-runtime gate status',
    load: async () => (await house()).gateStatus,
  },
  {
    usage: 'gate open',
    about: 'Reviewed: effects may leave again.',
    example: 'agent-runtime gate open',
    load: async () => (await house()).gateOpen,
  },
  {
    usage: 'audit tail',
    about: 'The newest records of the log.',
    options: [LIMIT, ['--subject <id>', 'about this id'], ['--action <action>', 'e.g. approval.grant']],
    example: 'agent-runtime audit tail --limit 20',
    load: async () => (await audit()).auditTail,
  },
  {
    usage: 'audit verify',
    about: 'Check every link, every signed head and every person’s signature in the log.',
    options: [['--file <file>', 'of this copy; needs no running runtime']],
    example: 'agent-runtime audit verify',
    load: async () => (await audit()).auditVerify,
  },
  {
    usage: 'audit trust',
    about: 'After a restore: take the log as it is now for the true one.',
    options: [['--yes', 'the host confirmed the restore']],
    example: 'agent-runtime audit trust',
    load: async () => (await audit()).auditTrust,
  },
  {
    usage: 'rebuild',
    about: 'Make a lost database again from the Markdown. The runtime must be stopped.',
    options: [['--yes', 'ask nothing']],
    example: 'agent-runtime rebuild',
    load: async () => (await local()).rebuild,
  },
  {
    usage: 'completion <shell>',
    about: 'A completion script for bash, zsh or fish.',
    example: 'agent-runtime completion bash > ~/.local/share/bash-completion/completions/agent-runtime',
    load: async () => (await local()).completion,
  },
];
