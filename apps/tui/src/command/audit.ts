import { AppError, type AuditVerdict, ERROR_KINDS } from '@agent-runtime/domain';
import { type CommandHandler, type CommandRun, textOption } from '../cli/command.ts';
import type { AdminClient } from '../client/client.ts';
import { checkExtension, compareLogs, type Divergence, sayHead } from '../client/witness.ts';
import type { Witness } from '../client/witness-store.ts';
import { shortTime, table } from '../screen/table.ts';
import { placeOf } from './input.ts';

/** The newest records, of a log that goes on from what this machine has seen. */
export const auditTail: CommandHandler = async (run) => {
  const subject = textOption(run, 'subject');
  const action = textOption(run, 'action');
  const { limit } = placeOf(run);
  const client = await checkedClient(run);
  const reply = await client.call('audit.tail', {
    ...(limit === undefined ? {} : { limit }),
    ...(subject === undefined ? {} : { subject }),
    ...(action === undefined ? {} : { action }),
  });
  run.show(reply, () =>
    reply.items.length === 0
      ? 'No records.'
      : table(
          reply.items,
          [
            { name: 'seq', of: (row) => row.seq },
            { name: 'at', of: (row) => shortTime(row.at) },
            { name: 'action', of: (row) => row.action },
            { name: 'about', of: (row) => `${row.subject} by ${row.actor}` },
          ],
          run.world.columns,
        ),
  );
};

/** A copy is checked by the runtime's own reader, with no server; the live log by the server, and by what this machine has seen of it. */
export const auditVerify: CommandHandler = async (run) => {
  const file = textOption(run, 'file');
  if (file !== undefined)
    return run.world.runtime({ args: ['audit-verify', '--file', file, ...(run.json ? ['--json'] : [])] });
  const verdict = await (await checkedClient(run)).call('audit.verify', {});
  run.show(verdict, () => verdictText(verdict));
  return verdict.ok ? 0 : ERROR_KINDS.conflict.exit;
};

/** The one way to accept another history: shows both heads, and only then takes the new one. */
export const auditTrust: CommandHandler = async (run) => {
  const input = { client: await run.client(), witnesses: await run.world.witnesses() };
  const instanceId = await input.client.instanceId();
  const found = await compareLogs({
    ...input,
    witnesses: { ...input.witnesses, read: readable(run, input) },
  });
  if (found.known !== undefined && found.isExtension) {
    input.witnesses.write(instanceId, found.offered);
    run.show(
      replyOf(found, false),
      () => `The log goes on from what this machine has seen. Head: ${sayHead(found.offered)}`,
    );
    return 0;
  }
  if (run.options.yes !== true) {
    run.show(
      replyOf(found, false),
      () =>
        `${headsText(found)}\nNothing was changed. If the host confirms the restore: agent-runtime audit trust --yes`,
    );
    return ERROR_KINDS.conflict.exit;
  }
  input.witnesses.replace(instanceId, found.offered);
  run.show(
    replyOf(found, true),
    () =>
      `${headsText(found)}\nThis machine takes the new one for true from now on. The old one is kept as witness.json.old.`,
  );
  return 0;
};

/** A damaged memory is told, and then counts as none: this is the command that mends it. */
function readable(
  run: CommandRun,
  { witnesses }: { readonly witnesses: { read(instanceId: string): Witness | undefined } },
): (instanceId: string) => Witness | undefined {
  return (instanceId) => {
    try {
      return witnesses.read(instanceId);
    } catch (thrown) {
      if (!(thrown instanceof AppError) || thrown.code !== 'tui.witness.invalid') throw thrown;
      run.world.err(`${thrown.message}\n`);
      return undefined;
    }
  };
}

async function checkedClient(run: CommandRun): Promise<AdminClient> {
  const client = await run.client();
  await checkExtension({ client, witnesses: await run.world.witnesses() });
  return client;
}

function replyOf({ known, offered, isExtension }: Divergence, isReplaced: boolean): object {
  const headOf = ({ checkpoint: { seq, hash, at } }: Witness): object => ({ seq, hash, at });
  return {
    is_extension: isExtension,
    is_replaced: isReplaced,
    old: known === undefined ? undefined : headOf(known),
    new: headOf(offered),
  };
}

function headsText({ known, offered }: Divergence): string {
  const before = known === undefined ? 'nothing that can be read' : sayHead(known);
  return `This machine saw: ${before}\nThe runtime shows: ${sayHead(offered)}`;
}

function verdictText(verdict: AuditVerdict): string {
  const { good, unchecked } = verdict.signatures;
  const rest =
    unchecked === 0 ? '' : `, ${unchecked} CANNOT BE CHECKED: the log does not hold those public keys`;
  if (verdict.ok)
    return `The log is whole: ${verdict.count} records, head ${verdict.head}\nSignatures of people: ${good} good${rest}.`;
  const problems = verdict.problems.map((problem) => `  ${problem.kind} at ${problem.seq}: ${problem.text}`);
  return `THE LOG WAS CHANGED: ${verdict.problems.length} problems in ${verdict.count} records\n${problems.join('\n')}`;
}
