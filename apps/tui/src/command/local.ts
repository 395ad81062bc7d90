import type { CommandHandler } from '../cli/command.ts';
import { textArg } from '../cli/command.ts';
import { completionScript } from '../screen/completion.ts';

/** Sub-commands of the runtime that work without a running one; they inherit our terminal. */
export const up: CommandHandler = async (run) => run.world.runtime({ args: ['up', ...flags(run.json)] });

export const setup: CommandHandler = async (run) =>
  run.world.runtime({ args: ['setup', ...(run.options.yes === true ? ['--yes'] : []), ...flags(run.json)] });

export const rebuild: CommandHandler = async (run) =>
  run.world.runtime({
    args: ['rebuild', ...(run.options.yes === true ? ['--yes'] : []), ...flags(run.json)],
  });

export const completion: CommandHandler = async (run) => {
  const script = completionScript(textArg(run, 0), run.usages);
  run.show({ script }, () => script);
};

function flags(json: boolean): readonly string[] {
  return json ? ['--json'] : [];
}
