import type { CommandSpec } from './command.ts';
import { LIMIT, WORKSPACE } from './spec-options.ts';

const SETTINGS = [
  ['--guests <off|ask>', 'may unpaired people ask here?'],
  ['--tools <names>', 'tools allowed, separated by commas; * for all'],
  ['--models <names>', 'models allowed, best first'],
  ['--temperature <t>', '0 to 2'],
  ['--max-output-tokens <n>', 'longest answer'],
  ['--max-queued <n>', 'messages of one conversation that may wait'],
  ['--run-deadline-ms <n>', 'longest time of one run'],
  ['--tokens-per-day <n>', 'budget'],
  ['--tokens-per-sender-per-day <n>', 'budget of each person there'],
  ['--output <all|answers>', 'answers: nothing but answers, no notices and no progress'],
  ['--acknowledge <off|tasks|confirm>', 'say first what was understood; confirm: and wait for an OK'],
  ['--messages-per-minute <n>', 'questions of one person in a minute'],
  ['--max-prompt-chars <n>', 'longest question'],
  ['--inherit <settings>', 'go back to what is inherited, e.g. guests,tools'],
] as const;
const place = () => import('../command/place.ts');
const _people = () => import('../command/people.ts');
const hub = () => import('../command/hub.ts');

/** Places: workspaces, contexts, and what is in them. */
export const PLACE_COMMANDS: readonly CommandSpec[] = [
  {
    usage: 'workspace list',
    about: 'Workspaces you have a role in.',
    example: 'agent-runtime workspace list',
    load: async () => (await place()).workspaceList,
  },
  {
    usage: 'workspace show <id>',
    about: 'A workspace and its settings.',
    example: 'agent-runtime workspace show community',
    load: async () => (await place()).workspaceShow,
  },
  {
    usage: 'workspace create <id>',
    about: 'A new workspace.',
    options: [
      ['--title <title>', 'for people'],
      ['--private', 'for one person'],
    ],
    example: 'agent-runtime workspace create garden --title "The Garden"',
    load: async () => (await place()).workspaceCreate,
  },
  {
    usage: 'workspace set <id>',
    about: 'Change settings of a workspace.',
    options: [
      ['--title <title>', 'for people'],
      ['--outside-edits <staff|review>', 'do edits on disk count at once?'],
      ['--concurrency <n>', 'runs at the same time'],
      ['--approvers-for-high <n>', 'approvers for tier high'],
      ['--time-zone <zone>', 'e.g. Europe/Vienna'],
      ['--bind <groups...>', 'take each place of this guild or group: CONNECTOR:ACCOUNT/GROUP'],
      ['--unbind <groups...>', 'take no more places of it'],
      ...SETTINGS,
    ],
    example: 'agent-runtime workspace set community --concurrency 3',
    load: async () => (await place()).workspaceSet,
  },
  {
    usage: 'context list',
    about: 'Contexts, and places that are bound to nothing yet.',
    options: [WORKSPACE],
    example: 'agent-runtime context list',
    load: async () => (await place()).contextList,
  },
  {
    usage: 'context show <id>',
    about: 'A context with what it inherits.',
    example: 'agent-runtime context show memory-staff',
    load: async () => (await place()).contextShow,
  },
  {
    usage: 'context set <id>',
    about: 'Change settings of a context.',
    options: [
      ['--title <title>', 'for people'],
      ['--open', 'strangers may read here'],
      ['--closed', 'only members read here'],
      ...SETTINGS,
    ],
    example: 'agent-runtime context set memory-staff --tools md_read,qmd_search',
    load: async () => (await place()).contextSet,
  },
  {
    usage: 'context bind <connector:account> <channel>',
    about: 'Bind a channel to a workspace.',
    options: [
      WORKSPACE,
      ['--id <id>', 'name of the context'],
      ['--title <title>', 'for people'],
      ['--kind <kind>', 'channel, thread or group'],
      ['--closed', 'only members read there'],
    ],
    example: 'agent-runtime context bind memory:demo general --workspace community',
    load: async () => (await place()).contextBind,
  },
  {
    usage: 'hub list',
    about: 'The admin hub of each connector, and places that ask to be it.',
    example: 'agent-runtime hub list',
    load: async () => (await hub()).hubList,
  },
  {
    usage: 'hub approve <id>',
    about: 'Make the place the admin hub of its connector; another one ends.',
    options: [['--workspace <ids...>', 'whose texts are shown there; give it once for each']],
    example: 'agent-runtime hub approve ahub_01hx --workspace community',
    load: async () => (await hub()).hubApprove,
  },
  {
    usage: 'hub rm <id>',
    about: 'End the admin hub of a connector, or send a request away.',
    example: 'agent-runtime hub rm telegram',
    load: async () => (await hub()).hubRm,
  },
];

/** What is in them: labels, memory, search, files. */
export const CONTENT_COMMANDS: readonly CommandSpec[] = [
  {
    usage: 'label list',
    about: 'Labels of files.',
    options: [WORKSPACE, ['--prefix <path>', 'paths that begin so'], LIMIT],
    example: 'agent-runtime label list --prefix skills/',
    load: async () => (await place()).labelList,
  },
  {
    usage: 'label approve <path>',
    about: 'These exact bytes count as owned by staff.',
    options: [WORKSPACE, ['--hash <hash>', 'only if they are still these']],
    example: 'agent-runtime label approve AGENTS.md',
    load: async () => (await place()).labelApprove,
  },
  {
    usage: 'label publish <path>',
    about: 'These exact bytes may be read by strangers.',
    options: [WORKSPACE, ['--hash <hash>', 'only if they are still these']],
    example: 'agent-runtime label publish faq.md',
    load: async () => (await place()).labelPublish,
  },
  {
    usage: 'memory list',
    about: 'Changes of memory, newest first.',
    options: [WORKSPACE, LIMIT],
    example: 'agent-runtime memory list',
    load: async () => (await place()).memoryList,
  },
  {
    usage: 'memory undo <id>',
    about: 'Take one change back.',
    example: 'agent-runtime memory undo ldgr_01hx',
    load: async () => (await place()).memoryUndo,
  },
  {
    usage: 'search <query...>',
    about: 'Search the Markdown of a workspace.',
    options: [WORKSPACE, ['--in <place>', 'mail, logs or tasks'], LIMIT],
    example: 'agent-runtime search refund',
    load: async () => (await place()).search,
  },
  {
    usage: 'open <path>',
    about: 'Print a file, or lines of it: PATH:10-20.',
    options: [WORKSPACE],
    example: 'agent-runtime open faq.md:1-20',
    load: async () => (await place()).openFile,
  },
];
