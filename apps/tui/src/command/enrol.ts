import { type AdminReply, AppError } from '@agent-runtime/domain';
import { type CommandRun, textOption } from '../cli/command.ts';
import type { SocketClient } from '../client/admin-client.ts';
import { mistyped } from './input.ts';

/** Registers a key of this machine: with a code someone handed over, or with one that the local socket makes. */
export async function enrolHere(run: CommandRun): Promise<void> {
  const code = textOption(run, 'invite');
  const url = textOption(run, 'url');
  const user = textOption(run, 'user');
  if (code !== undefined && user !== undefined)
    throw mistyped('The invite already says who; leave --user out.');
  if (url !== undefined) {
    if (code === undefined) throw mistyped('--url needs --invite: the host makes it with `invite create`.');
    return show(run, await run.world.enrolByUrl({ url, code, mayReplace: run.options.force === true }));
  }
  const client = await run.client();
  if (!canEnrol(client)) throw notHere();
  if (run.options.force !== true && (await client.hasKey())) throw alreadyEnrolled();
  show(run, await client.enrol({ code, user }));
}

function show(run: CommandRun, reply: AdminReply<'key.enrol'>): void {
  const { key_id, user, instance_id, admin_url, expires_at } = reply;
  run.show({ key_id, user, instance_id, admin_url, certificate_expires_at: expires_at }, () => {
    const where = admin_url === undefined ? '' : ` The admin API is at ${admin_url}.`;
    return `This machine signs for ${user} (key ${key_id.slice(0, 12)}…).${where}`;
  });
}

function canEnrol(client: object): client is SocketClient {
  return 'enrol' in client && 'hasKey' in client;
}

function notHere(): AppError {
  return new AppError({
    code: 'tui.enrol.invalid',
    kind: 'invalid',
    message:
      'Say where: agent-runtime enrol --url U --invite CODE. Without --url it works on the machine of the runtime.',
  });
}

function alreadyEnrolled(): AppError {
  return new AppError({
    code: 'tui.enrol.conflict',
    kind: 'conflict',
    message:
      'This machine has a key for this runtime already. Add --force to replace it; revoke the old one afterwards (`key list`).',
  });
}
