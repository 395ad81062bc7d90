import { existsSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import type { Logger } from '@agent-runtime/domain';
import { recoveryKeyOf, type SetupResult, setupData } from '@agent-runtime/store';
import { openDataFolder } from '../assembly/data-folder.ts';
import { openFiles } from '../assembly/files.ts';
import { configSecrets, type SecretRedactor, secretRedactor } from '../assembly/secrets.ts';
import { systemLogger } from '../system/logger.ts';
import { elsewhereText } from './elsewhere.ts';
import { assertNew } from './instance.ts';
import { beginMaking, endMaking, unfinished } from './making.ts';
import { hasMasterKey, makeMasterKey, masterKeyFile, readMasterKey } from './master-key.ts';
import { beSure } from './sure.ts';
import type { World } from './world.ts';

/** Short name of the first person of an instance; `user` commands can change what it is called. */
export const OWNER = 'owner';

/**
 * `setup`: makes a new instance from data.example/.
 * @throws AppError runtime.instance.conflict (there is one) · runtime.setup.denied (somebody said no)
 *   · runtime.setup.invalid (nobody to ask)
 */
export async function setup(world: World, how: { readonly isSure: boolean }): Promise<number> {
  assertNew(world.config);
  const question = `Make a new instance in ${world.config.dataDir}?`;
  await beSure(world, { isSure: how.isSure, question, command: 'setup', after: 'Nothing was made.' });
  const redactor = secretRedactor(configSecrets(world.config));
  const log = systemLogger({ level: 'warn', format: world.logFormat }, redactor, { write: world.err });
  const result = await makeInstance(world, log, redactor);
  if (world.isJson) {
    const { workspaces, contexts, blessed } = result;
    world.out(`${JSON.stringify({ data: world.config.dataDir, workspaces, contexts, files: blessed })}\n`);
  } else world.out('Start it with `npm start`.\n');
  return 0;
}

/**
 * Key, database, example, first person. When a step fails, what this call made is removed, so that it can be tried again; what a killed
 * call made is completed. The recovery key is shown once, on standard error, and kept nowhere.
 */
export async function makeInstance(
  world: World,
  log: Logger,
  redactor: SecretRedactor,
): Promise<SetupResult> {
  const { config } = world;
  assertNew(config);
  const isContinued = unfinished(config) !== undefined;
  const hadFolder = existsSync(config.dataDir);
  const isOurKey = !hasMasterKey(config);
  beginMaking(config, 'setup');
  try {
    const masterKey = isOurKey ? makeMasterKey(config) : readMasterKey(config);
    const result = await fill(world, masterKey, log, redactor);
    const isShown = isOurKey || (isContinued && config.MASTER_KEY === undefined);
    tell(world, result, isShown ? recoveryKeyOf(masterKey) : undefined);
    endMaking(config);
    return result;
  } catch (thrown) {
    if (isOurKey) rmSync(masterKeyFile(config), { force: true });
    if (!hadFolder) rmSync(config.dataDir, { recursive: true, force: true });
    throw thrown;
  }
}

async function fill(
  world: World,
  masterKey: Uint8Array,
  log: Logger,
  redactor: SecretRedactor,
): Promise<SetupResult> {
  const { clock, ids, crash } = world;
  const open = await openDataFolder(world, masterKey, log, redactor);
  try {
    return await setupData({
      store: open.store,
      files: openFiles({ open, clock, crash, log }).files,
      clock,
      ids,
      log,
      workspacesDir: open.paths.workspaces,
      exampleDir: join(world.root, 'data.example', 'workspaces'),
      ownerName: OWNER,
    });
  } finally {
    await open.close();
  }
}

function tell(world: World, result: SetupResult, recoveryKey: string | undefined): void {
  const { config } = world;
  world.err(`A new instance was made.
  Data        ${config.dataDir} (workspaces: ${result.workspaces.join(', ')}; ${result.blessed} files)
${recoveryKey === undefined ? '  Master key  given by the environment\n' : `  Master key  ${masterKeyFile(config)}\n`}`);
  if (recoveryKey !== undefined) tellKey(world, recoveryKey);
  // A log would keep it as news of every new instance; it is for the person who just made this one.
  if (world.isTerminal) world.err(elsewhereText(config, OWNER) ?? '');
}

function tellKey(world: World, recoveryKey: string): void {
  world.err(`
RECOVERY KEY. It is shown this one time. Write it on paper and keep it away from this machine:

  ${recoveryKey}

It opens the vault and the log when the master key is lost. Whoever has it can read every secret of a backup.
`);
}
