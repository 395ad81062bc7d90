import { type PairingRow, ROLES, showHidden } from '@agent-runtime/domain';
import { type CommandHandler, textArg } from '../cli/command.ts';
import { shortTime, table } from '../screen/table.ts';
import { choiceOption, given, instantOption, mistyped, requiredOption } from './input.ts';

export const pairList: CommandHandler = async (run) => {
  const reply = await (await run.client()).call('pair.list', {});
  run.show(reply, () =>
    reply.items.length === 0
      ? 'Nobody waits. People send the direct message "pair" and give you the code.'
      : table(
          reply.items,
          [
            { name: 'id', of: (row) => row.id },
            { name: 'account', of: accountText },
            { name: 'until', of: (row) => shortTime(row.expires_at) },
          ],
          run.world.columns,
        ),
  );
};

export const pairShow: CommandHandler = async (run) => {
  const row = await (await run.client()).call('pair.show', { code: textArg(run, 0) });
  run.show(row, () => `${accountText(row)} waits until ${shortTime(row.expires_at) ?? ''} UTC (${row.id}).`);
};

export const pairApprove: CommandHandler = async (run) => {
  const role = choiceOption(run, 'role', '--role', ROLES);
  if (role === undefined) throw mistyped(`--role is needed: ${ROLES.join(', ')}.`);
  const input = given({
    code: textArg(run, 0),
    user: requiredOption(run, 'user', '--user'),
    create_user: run.options.createUser === true,
    role,
    scope: requiredOption(run, 'scope', '--scope'),
    expires_at: instantOption(run, 'expires', '--expires'),
  });
  const row = await (await run.client()).call('pair.approve', input);
  run.show(
    row,
    () =>
      `${row.connector} ${row.external_id} (${showHidden(row.display_name)}) is ${row.user}, ${role} on ${input.scope} (${row.id}).`,
  );
};

export const pairDeny: CommandHandler = async (run) => {
  const row = await (await run.client()).call('pair.deny', { id: textArg(run, 0) });
  run.show(row, () => `${accountText(row)} was sent away; its code ends.`);
};

/** The id is the platform's; the name in brackets is the sender's own word. */
function accountText(row: PairingRow): string {
  return `${row.connector} ${row.external_id} (${showHidden(row.display_name)})`;
}
