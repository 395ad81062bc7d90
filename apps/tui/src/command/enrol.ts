import { AppError } from '@agent-runtime/domain';
import { type CommandRun, textOption } from '../cli/command.ts';
import type { SocketClient } from '../client/socket-client.ts';
import { mistyped } from './input.ts';

/** Registers a key of this machine: with a code someone handed over, or with one that the local socket makes. */
export async function enrolHere(run: CommandRun): Promise<void> {
  const client = await run.client();
  if (!canEnrol(client)) throw notHere();
  const code = textOption(run, 'invite');
  const user = textOption(run, 'user');
  if (code !== undefined && user !== undefined)
    throw mistyped('The invite already says who; leave --user out.');
  if (run.options.force !== true && (await client.hasKey())) throw alreadyEnrolled();
  const reply = await client.enrol({ code, user });
  const view = { key_id: reply.key_id, user: reply.user, instance_id: reply.instance_id };
  run.show(view, () => `This machine signs for ${reply.user} (key ${reply.key_id.slice(0, 12)}…).`);
}

function canEnrol(client: object): client is SocketClient {
  return 'enrol' in client && 'hasKey' in client;
}

function notHere(): AppError {
  return new AppError({
    code: 'tui.enrol.invalid',
    kind: 'invalid',
    message: 'Enrol on the machine of the runtime.',
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
