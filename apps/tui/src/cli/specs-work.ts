import type { CommandSpec } from './command.ts';
import { LIMIT, WORKSPACE } from './spec-options.ts';

const work = () => import('../command/work.ts');
const approval = () => import('../command/approval.ts');
const house = () => import('../command/house.ts');
const local = () => import('../command/local.ts');

/** Work: asking, tasks, approvals, effects. */
export const WORK_COMMANDS: readonly CommandSpec[] = [
  {
    usage: 'up',
    about: 'Start the runtime in the foreground.',
    example: 'agent-runtime up',
    load: async () => (await local()).up,
  },
  {
    usage: 'setup',
    about: 'Make the data folder, the master key and the first person.',
    options: [['--yes', 'take the defaults and ask nothing']],
    example: 'agent-runtime setup --yes',
    load: async () => (await local()).setup,
  },
  {
    usage: 'status',
    about: 'How it is: what runs, what waits, what is wrong.',
    example: 'agent-runtime status',
    load: async () => (await house()).status,
  },
  {
    usage: 'doctor',
    about: 'Check this machine and say what to do.',
    example: 'agent-runtime doctor',
    load: async () => (await import('../command/doctor.ts')).doctor,
  },
  {
    usage: 'ask <text...>',
    about: 'Ask a question and wait for the answer.',
    options: [
      ['--context <id>', 'in this context instead of the command line’s own'],
      WORKSPACE,
      ['--conversation <key>', 'continue the conversation of this name'],
      ['--timeout <seconds>', 'stop waiting (exit code 75); the run goes on'],
    ],
    example: 'agent-runtime ask "How do I get a refund?"',
    load: async () => (await import('../command/ask.ts')).ask,
  },
  {
    usage: 'explain <id>',
    about: 'Why something was allowed, asked or denied.',
    example: 'agent-runtime explain appr_01hx',
    load: async () => (await house()).explain,
  },
  {
    usage: 'task list',
    about: 'Tasks, newest first.',
    options: [
      WORKSPACE,
      ['--status <status>', 'queued, running, aborting, aborted, succeeded or failed'],
      LIMIT,
    ],
    example: 'agent-runtime task list --status failed',
    load: async () => (await work()).taskList,
  },
  {
    usage: 'task show <id>',
    about: 'A task with its runs and effects.',
    example: 'agent-runtime task show task_01hx',
    load: async () => (await work()).taskShow,
  },
  {
    usage: 'task abort <id>',
    about: 'Stop a task.',
    example: 'agent-runtime task abort task_01hx',
    load: async () => (await work()).taskAbort,
  },
  {
    usage: 'task retry <id>',
    about: 'Try a task again.',
    example: 'agent-runtime task retry task_01hx',
    load: async () => (await work()).taskRetry,
  },
  {
    usage: 'task steer <id> <text...>',
    about: 'Say something to your own running task.',
    example: 'agent-runtime task steer task_01hx "shorter, please"',
    load: async () => (await work()).taskSteer,
  },
  {
    usage: 'approval list',
    about: 'What waits for an answer.',
    options: [
      WORKSPACE,
      [
        '--state <state>',
        'pending (default), granted, consumed, denied, withdrawn, superseded, expired, void or all',
      ],
      LIMIT,
    ],
    example: 'agent-runtime approval list',
    load: async () => (await approval()).approvalList,
  },
  {
    usage: 'approval show <id>',
    about: 'The exact bytes, to whom, and why you are asked.',
    example: 'agent-runtime approval show appr_01hx',
    load: async () => (await approval()).approvalShow,
  },
  {
    usage: 'approval approve <id>',
    about: 'Approve exactly these bytes, signed with your key.',
    options: [['--digest <digest>', 'only if it is still this one']],
    example: 'agent-runtime approval approve appr_01hx',
    load: async () => (await approval()).approvalApprove,
  },
  {
    usage: 'approval deny <id> [reason...]',
    about: 'Say no.',
    example: 'agent-runtime approval deny appr_01hx "wrong channel"',
    load: async () => (await approval()).approvalDeny,
  },
  {
    usage: 'approval release <id>',
    about: 'Release your own private text in it.',
    example: 'agent-runtime approval release appr_01hx',
    load: async () => (await approval()).approvalRelease,
  },
  {
    usage: 'approval withdraw <id>',
    about: 'Take your own request back.',
    example: 'agent-runtime approval withdraw appr_01hx',
    load: async () => (await approval()).approvalWithdraw,
  },
  {
    usage: 'approval edit <id> [text...]',
    about: 'Other words (or from standard input): a new question with a new digest.',
    options: [['--approve', 'and approve the new bytes at once']],
    example: 'agent-runtime approval edit appr_01hx "See you at 18:00."',
    load: async () => (await approval()).approvalEdit,
  },
  {
    usage: 'standing list',
    about: 'Standing approvals.',
    options: [WORKSPACE],
    example: 'agent-runtime standing list',
    load: async () => (await approval()).standingList,
  },
  {
    usage: 'standing add',
    about: 'Approve forever, within limits.',
    options: [
      WORKSPACE,
      ['--kind <kind>', 'kind of effect, as `effect show` prints it'],
      ['--sink <connector:account>', 'where it goes'],
      ['--to <recipients>', 'exact recipients, separated by commas'],
      ['--template <text>', 'only this text, with slots like {{count:number}}'],
      ['--per-day <n>', 'at most so many a day'],
      ['--max <n>', 'at most so many in all'],
      ['--until <instant>', 'end, e.g. 2027-01-01T00:00:00Z'],
    ],
    example:
      'agent-runtime standing add --workspace community --kind message.post --sink memory:demo --to news --per-day 1 --max 30 --until 2027-01-01T00:00:00Z',
    load: async () => (await approval()).standingAdd,
  },
  {
    usage: 'standing revoke <id>',
    about: 'End a standing approval.',
    example: 'agent-runtime standing revoke stnd_01hx',
    load: async () => (await approval()).standingRevoke,
  },
  {
    usage: 'effect list',
    about: 'What left, what waits, what nobody knows.',
    options: [WORKSPACE, ['--state <state>', 'e.g. uncertain, done, approved'], LIMIT],
    example: 'agent-runtime effect list --state uncertain',
    load: async () => (await work()).effectList,
  },
  {
    usage: 'effect show <id>',
    about: 'Exact bytes and fate of an effect.',
    example: 'agent-runtime effect show efct_01hx',
    load: async () => (await work()).effectShow,
  },
  {
    usage: 'effect resolve <id> <outcome>',
    about: 'Say what became of an uncertain effect: sent or not-sent.',
    example: 'agent-runtime effect resolve efct_01hx not-sent',
    load: async () => (await work()).effectResolve,
  },
];
