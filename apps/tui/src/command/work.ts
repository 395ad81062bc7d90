import { EFFECT_STATES, RUN_STATES, showHidden, type TaskRow } from '@agent-runtime/domain';
import { type CommandHandler, type CommandRun, textArg } from '../cli/command.ts';
import { bytesText } from '../screen/bytes.ts';
import { facts, shortTime, table } from '../screen/table.ts';
import { branches, inTrees } from '../screen/tree.ts';
import { choiceOption, mistyped, placeOf } from './input.ts';

const TREE = { keyOf: (row: TaskRow) => row.id, parentOf: (row: TaskRow) => row.parent };

/** Tasks, newest first; what came from one stands below it. */
export const taskList: CommandHandler = async (run) => {
  const status = choiceOption(run, 'status', '--status', RUN_STATES);
  const client = await run.client();
  const reply = await client.call('task.list', {
    ...placeOf(run),
    ...(status === undefined ? {} : { status }),
  });
  const rows = inTrees(reply.items, TREE);
  const drawn = branches(rows, rows, TREE);
  run.show(reply, () =>
    reply.items.length === 0
      ? 'No tasks. Ask something: agent-runtime ask "How do I get a refund?"'
      : table(
          rows,
          [
            { name: 'id', of: (row) => row.id },
            { name: 'status', of: (row) => row.status },
            { name: 'at', of: (row) => shortTime(row.created_at) },
            { name: 'title', of: (row) => row.title, lead: (row) => drawn.get(row)?.lines ?? '' },
          ],
          run.world.columns,
        ),
  );
};

export const taskShow: CommandHandler = async (run) => {
  const task = await (await run.client()).call('task.show', { id: textArg(run, 0) });
  run.show(task, () => {
    const head = facts([
      ['Task', task.id],
      ['Title', showHidden(task.title)],
      ['Status', task.status],
      ['Kind', task.kind],
      ['Place', `${task.workspace} / ${task.context}`],
      ['Asked by', `${task.requester} (${task.door})`],
      ['At', shortTime(task.created_at)],
      ['Came from', task.parent && `${task.parent}  ${showHidden(task.parent_title ?? '')}`],
    ]);
    const below =
      task.children.length === 0
        ? ''
        : `\n\n${table(
            task.children,
            [
              { name: 'came from it', of: (row) => row.id },
              { name: 'status', of: (row) => row.status },
              { name: 'title', of: (row) => row.title },
            ],
            run.world.columns,
          )}`;
    const runs = table(
      task.runs,
      [
        { name: 'run', of: (row) => row.id },
        { name: 'status', of: (row) => row.status },
        { name: 'try', of: (row) => row.attempt },
        { name: 'error', of: (row) => row.error?.message },
      ],
      run.world.columns,
    );
    const effects =
      task.effects.length === 0
        ? 'No effects.'
        : table(
            task.effects,
            [
              { name: 'effect', of: (row) => row.id },
              { name: 'state', of: (row) => row.state },
              { name: 'what', of: (row) => row.summary },
            ],
            run.world.columns,
          );
    return `${head}\n\n${runs}\n\n${effects}${below}`;
  });
};

export const taskAbort: CommandHandler = async (run) => {
  await moveTask(run, 'task.abort');
};
export const taskRetry: CommandHandler = async (run) => {
  await moveTask(run, 'task.retry');
};

async function moveTask(run: CommandRun, route: 'task.abort' | 'task.retry'): Promise<void> {
  const result = await (await run.client()).call(route, { id: textArg(run, 0) });
  run.show(result, () => `${result.run_id} is ${result.status}.`);
}

export const taskSteer: CommandHandler = async (run) => {
  const reply = await (await run.client()).call('task.steer', { id: textArg(run, 0), text: textArg(run, 1) });
  run.show(reply, () => reply.message);
};

/** Effects, newest first. */
export const effectList: CommandHandler = async (run) => {
  const state = choiceOption(run, 'state', '--state', EFFECT_STATES);
  const client = await run.client();
  const reply = await client.call('effect.list', {
    ...placeOf(run),
    ...(state === undefined ? {} : { state }),
  });
  run.show(reply, () =>
    reply.items.length === 0
      ? 'No effects. What leaves the appliance is listed here, from its proposal on.'
      : table(
          reply.items,
          [
            { name: 'id', of: (row) => row.id },
            { name: 'state', of: (row) => row.state },
            { name: 'kind', of: (row) => row.kind },
            { name: 'what', of: (row) => row.summary },
          ],
          run.world.columns,
        ),
  );
};

export const effectShow: CommandHandler = async (run) => {
  const effect = await (await run.client()).call('effect.show', { id: textArg(run, 0) });
  run.show(effect, () => {
    const head = facts([
      ['Effect', effect.id],
      ['What', effect.summary],
      ['State', effect.state],
      ['Kind', `${effect.kind} (class ${effect.class})`],
      ['Place', `${effect.workspace} / ${effect.context}`],
      ['Approval', effect.approval],
      ['Label', effect.label],
      ['Digest', effect.digest],
      ['Intact', effect.is_intact ? 'yes' : 'NO: the stored bytes were changed; it is never sent'],
      ['Tries', effect.attempts],
      ['Settled', shortTime(effect.settled_at)],
      ['Error', effect.error?.message],
    ]);
    const hint =
      effect.state === 'uncertain'
        ? `\n\nNobody knows whether it left. Look there, then: agent-runtime effect resolve ${effect.id} sent (or not-sent)`
        : '';
    return `${head}\n\n${effect.bytes === undefined ? (effect.withheld ?? '') : bytesText(effect.bytes)}${hint}`;
  });
};

export const effectResolve: CommandHandler = async (run) => {
  const outcome = textArg(run, 1);
  if (outcome !== 'sent' && outcome !== 'not-sent')
    throw mistyped('Say what you found: agent-runtime effect resolve ID sent (or not-sent).');
  const reply = await (await run.client()).call('effect.resolve', { id: textArg(run, 0), outcome });
  run.show(reply, () => reply.message);
};
