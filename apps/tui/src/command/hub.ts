import type { HubRow } from '@agent-runtime/domain';
import { type CommandHandler, listOption, textArg } from '../cli/command.ts';
import { clearedText } from '../screen/hub.ts';
import { shortTime, table } from '../screen/table.ts';
import { mistyped } from './input.ts';

export const hubList: CommandHandler = async (run) => {
  const reply = await (await run.client()).call('hub.list', {});
  run.show(reply, () =>
    reply.items.length === 0
      ? 'No admin hub, and no place asks to be it. Somebody of the staff says /hub in a closed channel.'
      : table(
          reply.items,
          [
            { name: 'id', of: (row) => row.id },
            { name: 'connector', of: (row) => row.connector },
            { name: 'state', of: stateText },
            { name: 'place', of: (row) => `${row.workspace}/${row.context}` },
            { name: 'shows texts of', of: clearedText },
          ],
          run.world.columns,
        ),
  );
};

export const hubApprove: CommandHandler = async (run) => {
  const workspaces = listOption(run, 'workspace') ?? [];
  if (workspaces.length === 0)
    throw mistyped('--workspace is needed: name each workspace whose texts may be shown there.');
  const row = await (await run.client()).call('hub.approve', { id: textArg(run, 0), workspaces });
  run.show(row, () => {
    const { moved_from: from } = row;
    const end = from === undefined || from === row.context ? '' : ` ${from} is not the hub any more.`;
    return `${row.context} is the admin hub of ${row.connector} and shows texts of ${clearedText(row)}.${end}`;
  });
};

export const hubRm: CommandHandler = async (run) => {
  const row = await (await run.client()).call('hub.rm', { id: textArg(run, 0) });
  run.show(row, () =>
    row.state === 'active'
      ? `${row.connector} has no admin hub any more (it was ${row.context}).`
      : `${row.context} was sent away; it is not the hub.`,
  );
};

function stateText(row: HubRow): string {
  return row.state === 'active'
    ? `hub since ${shortTime(row.approved_at) ?? ''}, by ${row.approved_by ?? ''}`
    : `${row.asked_by} asks, until ${shortTime(row.expires_at) ?? ''}`;
}
