import { AppError, type SecretInfo, type SecretRow, toInstantIf } from '@agent-runtime/domain';
import type { Actor } from '../api.ts';
import { change, demand, EVERYTHING, viewerOf } from './authorize.ts';
import type { AdminDeps, AdminPart } from './deps.ts';
import { missing } from './find.ts';

const MASTER_KEY = 'MASTER_KEY';

/** Names of secrets and changes of the vault. A value is written and never read back. */
export const SECRET: AdminPart<'secret.list' | 'secret.set' | 'secret.rm'> = {
  'secret.list': async (deps, actor) => {
    await demand(deps, await viewerOf(deps, actor), 'vault.read', EVERYTHING);
    return { items: (await deps.vault.list()).map(secretRow) };
  },
  'secret.set': async (deps, actor, { name, value }) => {
    if (value.trim() === '') {
      throw new AppError({
        code: 'vault.value.invalid',
        kind: 'invalid',
        message: `The value of ${name} is blank. Pipe the secret into the command.`,
      });
    }
    if (name === MASTER_KEY) {
      throw new AppError({
        code: 'vault.name.invalid',
        kind: 'invalid',
        message:
          'The master key opens the vault, so it cannot lie in it. It stays in its file beside the data folder.',
      });
    }
    await record(deps, actor, 'vault.set', name);
    await deps.vault.set(name, value);
    return {
      ok: true,
      message: `${name} is kept in the vault and counts from the next use on. The first key of a model counts from the next start.`,
    };
  },
  'secret.rm': async (deps, actor, { name }) => {
    await record(deps, actor, 'vault.remove', name);
    if (!(await deps.vault.remove(name))) throw missing('secret', name);
    return { ok: true, message: `${name} is forgotten; the next use is without it.` };
  },
};

/** The audit event is durable before the vault changes: a change that nobody wrote down must not exist. */
async function record(
  deps: AdminDeps,
  actor: Actor,
  action: 'vault.set' | 'vault.remove',
  name: string,
): Promise<void> {
  await change(deps, actor, { verb: 'vault.set', target: EVERYTHING, action, subject: name }, async () => {
    const known = (await deps.vault.list()).find((secret) => secret.name === name);
    if (known?.source === 'environment') throw suppliedByEnvironment(name);
  });
}

function suppliedByEnvironment(name: string): AppError {
  return new AppError({
    code: 'vault.environment.conflict',
    kind: 'conflict',
    message: `The environment supplies ${name} (AGENT_RUNTIME_${name}), and it wins. Unset it there first.`,
  });
}

function secretRow(info: SecretInfo): SecretRow {
  return { name: info.name, source: info.source, updated_at: toInstantIf(info.updatedAt) };
}
