import { type AdminReply, AppError, ERROR_KINDS, type Status, showHidden } from '@agent-runtime/domain';
import { type CommandHandler, type CommandRun, textArg } from '../cli/command.ts';
import { chatsText } from '../screen/chats.ts';
import { spentText } from '../screen/spent.ts';
import { facts, shortTime, table } from '../screen/table.ts';
import { mistyped } from './input.ts';

/** Needs no key: the socket of the host may read it. */
export const status: CommandHandler = async (run) => {
  const reply = await (await run.client()).callUnsigned('status.read', {});
  run.show(reply, () => statusText(reply));
  return reply.ready ? 0 : ERROR_KINDS.unavailable.exit;
};

function statusText(reply: Status): string {
  const todo = [
    ...(reply.panic.on ? ['Panic is on: agent-runtime panic off'] : []),
    ...(reply.gate.closed ? ['The gate is closed: agent-runtime gate status'] : []),
    ...(reply.approvals_pending > 0 ? ['Questions wait: agent-runtime approval list'] : []),
    ...(reply.effects_uncertain > 0 ? ['Unclear outcomes: agent-runtime effect list --state uncertain'] : []),
    ...(reply.notices ?? []),
  ];
  const head = facts([
    ['State', reply.ready ? 'ready' : 'not ready'],
    ['Why', reply.reasons.length === 0 ? undefined : reply.reasons.join('\n')],
    ['Since', shortTime(reply.up_since)],
    ['Version', reply.version],
    ['Panic', reply.panic.on ? 'ON' : 'off'],
    ['Gate', reply.gate.closed ? `CLOSED (${reply.gate.reason ?? ''})` : 'open'],
    [
      'Runs',
      `${reply.runs.running} running, ${reply.runs.queued} queued, ${reply.runs.failed_today} failed today`,
    ],
    ['Approvals', `${reply.approvals_pending} pending`],
    ['Uncertain', `${reply.effects_uncertain} effects`],
    ['Spent today', spentText(reply)],
    ['Chats', chatsText(reply.connectors)?.join('\n')],
    ['Models', modelsText(reply.models)],
    ['Audit head', reply.audit_head],
  ]);
  return todo.length === 0 ? head : `${head}\n\n${todo.join('\n')}`;
}

function modelsText(models: readonly string[]): string {
  if (models.length === 0) return 'none: answers come from the files alone';
  return models.length === 1 && models[0] === 'offline'
    ? 'offline (no model: answers are quotes from the files)'
    : models.join(', ');
}

export const explain: CommandHandler = async (run) => {
  const reply = await (await run.client()).call('explain.id', { id: textArg(run, 0) });
  run.show(reply, () =>
    reply.events
      .map((event) => {
        const reasons = event.reasons.map((reason) => `\n    ${showHidden(reason)}`).join('');
        const decision = event.decision === undefined ? '' : `: ${event.decision}`;
        return `${shortTime(event.at) ?? ''}  ${event.action}${decision} (${event.actor})${reasons}`;
      })
      .join('\n'),
  );
};

export const secretSet: CommandHandler = async (run) => {
  const text = await run.world.readInput();
  if (text === undefined)
    throw mistyped(
      'The value comes from standard input, so that it stays out of your shell’s history: agent-runtime secret set NAME < file',
    );
  const value = text.replace(/\r?\n$/, '');
  if (value.trim() === '')
    throw mistyped(
      'Standard input was empty, so nothing was kept. Pipe the value in: agent-runtime secret set NAME < file',
    );
  const reply = await (await run.client()).call('secret.set', { name: textArg(run, 0), value });
  run.show(reply, () => reply.message);
};

export const secretList: CommandHandler = async (run) => {
  const reply = await (await run.client()).call('secret.list', {});
  run.show(reply, () =>
    reply.items.length === 0
      ? 'No secrets. Keep one: agent-runtime secret set LLM_API_KEY < key.txt'
      : table(
          reply.items,
          [
            { name: 'name', of: (row) => row.name },
            { name: 'from', of: (row) => row.source },
            { name: 'since', of: (row) => shortTime(row.updated_at) },
          ],
          run.world.columns,
        ),
  );
};

export const secretRm: CommandHandler = async (run) => {
  const reply = await (await run.client()).call('secret.rm', { name: textArg(run, 0) });
  run.show(reply, () => reply.message);
};

export const modelList: CommandHandler = async (run) => {
  const reply = await (await run.client()).call('model.list', {});
  run.show(reply, () =>
    reply.items.length === 0
      ? 'No model is configured; answers are quotes from the files. Set AGENT_RUNTIME_LLM_API_KEY.'
      : table(
          reply.items,
          [
            { name: 'name', of: (row) => row.name },
            { name: 'provider', of: (row) => row.provider },
            { name: 'tokens', of: (row) => row.context_tokens },
            { name: 'model', of: (row) => row.model },
          ],
          run.world.columns,
        ),
  );
};

/** Unsigned on purpose: it must work for whoever is at the machine, also when their key does not. */
export const panicOn: CommandHandler = async (run) => {
  const reply = await panicOfRunning(run);
  // Nobody listens: the file that the next start reads is written by a command of its own.
  if (reply === undefined) return run.world.runtime({ args: ['panic-on', ...(run.json ? ['--json'] : [])] });
  run.show(reply, () => 'Panic is on. Nothing starts and nothing leaves. End it: agent-runtime panic off');
  return 0;
};

/** @returns undefined when no runtime answers */
async function panicOfRunning(run: CommandRun): Promise<AdminReply<'panic.on'> | undefined> {
  try {
    return await (await run.client()).callUnsigned('panic.on', {});
  } catch (thrown) {
    if (thrown instanceof AppError && thrown.code === 'tui.runtime.unavailable') return undefined;
    throw thrown;
  }
}

export const panicOff: CommandHandler = async (run) => {
  const reply = await (await run.client()).call('panic.off', {});
  run.show(
    reply,
    () =>
      'Panic is off. Nothing old is sent. What was on its way: agent-runtime effect list --state uncertain',
  );
};

export const panicStatus: CommandHandler = async (run) => {
  const reply = await (await run.client()).callUnsigned('panic.status', {});
  run.show(reply, () =>
    reply.on
      ? `Panic is on since ${shortTime(reply.at) ?? 'unknown'} by ${reply.by ?? 'unknown'}.`
      : 'Panic is off.',
  );
};

export const gateStatus: CommandHandler = async (run) => {
  const reply = await (await run.client()).callUnsigned('gate.status', {});
  run.show(reply, () =>
    reply.closed
      ? `The gate is closed: ${reply.reason ?? ''}\nReview keys, tokens and uncertain effects, then: agent-runtime gate open`
      : 'The gate is open.',
  );
};

export const gateOpen: CommandHandler = async (run) => {
  const reply = await (await run.client()).call('gate.open', {});
  run.show(reply, () => 'The gate is open.');
};
