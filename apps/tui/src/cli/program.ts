import { Command, CommanderError } from 'commander';
import type { CommandRun, CommandSpec } from './command.ts';
import { COMMANDS } from './specs.ts';
import type { World } from './world.ts';

const ABOUT_GROUP: Readonly<Record<string, string>> = {
  task: 'Work: list, show, abort, retry, steer.',
  approval: 'Questions that wait for people.',
  standing: 'Approvals for ever, within limits.',
  effect: 'What leaves.',
  workspace: 'Isolated stores with a policy of their own.',
  context: 'Policy boundaries inside a workspace.',
  hub: 'Where staff hear of open questions.',
  user: 'People.',
  grant: 'Roles of people.',
  identity: 'Linked outside accounts.',
  key: 'Client keys.',
  cert: 'Client certificates and the CA.',
  invite: 'One-time codes for enrolment.',
  token: 'Tokens of the HTTP API.',
  label: 'Who owns and who may read a file.',
  memory: 'Changes of memory.',
  secret: 'The vault.',
  model: 'Models.',
  panic: 'Stop everything.',
  gate: 'The gate after a restore.',
  audit: 'The log that cannot be changed unseen.',
};
const USAGE_EXIT = 2;

/**
 * Runs one command line.
 * @param argv words after the program's name
 * @returns exit code of the error's kind; 0 when it went well
 */
export async function runCli(world: World, argv: readonly string[]): Promise<number> {
  let code = 0;
  const program = buildProgram(world, async (spec, run) => {
    code = await perform(spec, run);
  });
  const words = withoutHelpWord(argv);
  if (words.length === 0) {
    world.out(program.helpInformation());
    return 0;
  }
  try {
    await program.parseAsync([...words], { from: 'user' });
    return code;
  } catch (thrown) {
    if (!(thrown instanceof CommanderError)) throw thrown;
    if (thrown.exitCode === 0) return 0;
    // The words are on standard error already; whoever reads JSON gets them there as well.
    if (argv.includes('--json')) world.out(`${JSON.stringify(usageError(thrown))}\n`);
    return USAGE_EXIT;
  }
}

/** `help`, `help task list` and `task help list` mean `--help` there. */
function withoutHelpWord(argv: readonly string[]): readonly string[] {
  const [first = '', second, ...rest] = argv;
  if (first === 'help') return [...argv.slice(1), '--help'];
  return second === 'help' && first in ABOUT_GROUP ? [first, ...rest, '--help'] : argv;
}

/** The envelope of the contract, written by hand: a typing error must not cost loading the schemas. */
function usageError(thrown: CommanderError): object {
  const message = thrown.message.replace(/^error: /, '').split('\n')[0] ?? '';
  return { error: { code: 'tui.usage.invalid', kind: 'invalid', message } };
}

/** The tree of commands for commander, from the table. */
export function buildProgram(
  world: World,
  onRun: (spec: CommandSpec, run: CommandRun) => Promise<void>,
): Command {
  const program = new Command('agent-runtime');
  const wire = (command: Command): Command =>
    command
      .exitOverride()
      .showHelpAfterError('(add --help to see what it takes)')
      .configureHelp({ helpWidth: world.columns })
      .configureOutput({ writeOut: (text) => world.out(text), writeErr: (text) => world.err(text) });
  wire(program)
    .description('Agents propose, people decide.')
    .helpCommand(false)
    .version(world.version, '-V, --version', 'print the version')
    .addHelpText('after', '\nMore about one command: agent-runtime help <command>');
  const groups = new Map<string, Command>();
  for (const spec of COMMANDS) {
    const [group = '', ...rest] = spec.usage.split(' ');
    const isGrouped = rest[0] !== undefined && /^[a-z]/.test(rest[0]);
    const parent = isGrouped ? groupOf(group) : program;
    const leaf = wire(parent.command(isGrouped ? rest.join(' ') : spec.usage)).description(spec.about);
    for (const [flags, about] of spec.options ?? []) leaf.option(flags, about);
    leaf.option('--json', 'print one line of JSON');
    leaf.addHelpText('after', `\nExample:\n  ${spec.example}`);
    leaf.action(async (...given: unknown[]) => {
      await onRun(spec, runOf(world, leaf, given.slice(0, -2)));
    });
  }
  return program;

  function groupOf(name: string): Command {
    const known = groups.get(name);
    if (known !== undefined) return known;
    const made = wire(program.command(name))
      .description(ABOUT_GROUP[name] ?? '')
      .helpCommand(false);
    groups.set(name, made);
    return made;
  }
}

function runOf(world: World, leaf: Command, args: readonly unknown[]): CommandRun {
  const options: Readonly<Record<string, unknown>> = leaf.opts();
  const json = options.json === true;
  let client: ReturnType<World['connect']> | undefined;
  return {
    world,
    args: args.map((arg) =>
      Array.isArray(arg) ? arg.map(String) : arg === undefined ? undefined : String(arg),
    ),
    options,
    json,
    usages: COMMANDS.map((spec) => spec.usage),
    client: () => {
      client ??= world.connect();
      return client;
    },
    show: (value, text) => world.out(`${json ? JSON.stringify(value) : text().replace(/\n+$/, '')}\n`),
  };
}

/** Errors become their envelope or a sentence, and the exit code of their kind. */
async function perform(spec: CommandSpec, run: CommandRun): Promise<number> {
  try {
    const handler = await spec.load();
    return (await handler(run)) ?? 0;
  } catch (thrown) {
    const { reportError } = await import('../screen/error.ts');
    return reportError(run, thrown);
  }
}
