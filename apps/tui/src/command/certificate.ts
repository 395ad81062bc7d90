import type { CaRow } from '@agent-runtime/domain';
import { type CommandHandler, textArg } from '../cli/command.ts';
import { shortTime, table } from '../screen/table.ts';

/** Client certificates and the CA that gives them out. */
export const certList: CommandHandler = async (run) => {
  const reply = await (await run.client()).call('certificate.list', {});
  run.show(reply, () => {
    const rows =
      reply.items.length === 0
        ? 'No certificate was given out yet. Invite somebody: agent-runtime invite create --user ada'
        : table(
            reply.items,
            [
              { name: 'serial', of: (row) => row.id.slice(0, 12) },
              { name: 'who', of: (row) => row.user },
              { name: 'key', of: (row) => `${row.key_id.slice(0, 12)}…` },
              {
                name: 'good until',
                of: (row) => (row.revoked_at === undefined ? (shortTime(row.expires_at) ?? '') : 'revoked'),
              },
            ],
            run.world.columns,
          );
    const alarms = reply.alarms.map((alarm) => `\n! ${alarm}`).join('');
    return `${rows}\n\n${authorities(reply.authorities)}${alarms}`;
  });
};

export const certRevoke: CommandHandler = async (run) => {
  const row = await (await run.client()).call('certificate.revoke', { id: textArg(run, 0) });
  run.show(row, () => `The certificate ${row.id.slice(0, 12)}… of ${row.user} opens nothing any more.`);
};

export const certRotate: CommandHandler = async (run) => {
  const reply = await (await run.client()).call('certificate.rotate_ca', {
    distrust_old: run.options.distrustOld === true,
  });
  run.show(reply, () => `${reply.message}\n\n${authorities(reply.authorities)}`);
};

function authorities(rows: readonly CaRow[]): string {
  return rows
    .map(
      (row) =>
        `CA ${row.fingerprint.slice(0, 30)}… until ${shortTime(row.expires_at) ?? ''}${row.is_current ? ' (issues)' : ' (older, still believed)'}`,
    )
    .join('\n');
}
