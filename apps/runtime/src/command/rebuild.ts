import { rmSync } from 'node:fs';
import { AppError, type Logger } from '@agent-runtime/domain';
import {
  dataPaths,
  lockFolder,
  type RebuildResult,
  rebuild as rebuildRows,
  setupData,
} from '@agent-runtime/store';
import { openDataFolder } from '../assembly/data-folder.ts';
import { openFiles } from '../assembly/files.ts';
import { configSecrets, type SecretRedactor, secretRedactor } from '../assembly/secrets.ts';
import { systemLogger } from '../system/logger.ts';
import { assertReady, instanceState } from './instance.ts';
import { beginMaking, endMaking } from './making.ts';
import { readMasterKey } from './master-key.ts';
import { OWNER } from './setup.ts';
import { beSure } from './sure.ts';
import type { World } from './world.ts';

/**
 * `rebuild`: makes a lost database anew from the Markdown. Restore a backup first when there is one: authority does not come back.
 * @throws AppError runtime.rebuild.conflict (the database is there) · runtime.rebuild.denied (somebody said no)
 *   · runtime.rebuild.invalid (nobody to ask) · lock.folder.conflict
 */
export async function rebuild(world: World, how: { readonly isSure: boolean }): Promise<number> {
  const { config } = world;
  assertLost(world);
  const masterKey = readMasterKey(config);
  const question = `Make the database of ${config.dataDir} anew from its Markdown? Users, grants, tokens, keys and approvals do not come back.`;
  await beSure(world, { isSure: how.isSure, question, command: 'rebuild', after: 'Nothing was changed.' });
  const redactor = secretRedactor(configSecrets(config));
  const log = systemLogger({ level: 'warn', format: world.logFormat }, redactor, { write: world.err });
  clearRemains(world);
  try {
    tell(world, await bringBack(world, masterKey, log, redactor));
  } catch (thrown) {
    // Half a history would look like a whole one at the next start; a killed process leaves the mark instead.
    removeDatabase(world);
    throw thrown;
  } finally {
    endMaking(config);
  }
  return 0;
}

function assertLost(world: World): void {
  const { config } = world;
  if (instanceState(config) === 'new') assertReady(config);
  if (instanceState(config) !== 'ready') return;
  throw new AppError({
    code: 'runtime.rebuild.conflict',
    kind: 'conflict',
    message: `The database is there. Rebuild is for a lost one: stop the runtime, move ${dataPaths(config.dataDir).database} away, then run it again.`,
  });
}

/** What belonged to the lost database would be taken for parts of the new one. Under the lock, for someone may still be writing. */
function clearRemains(world: World): void {
  const paths = dataPaths(world.config.dataDir);
  const lock = lockFolder(paths);
  try {
    beginMaking(world.config, 'rebuild');
    removeDatabase(world);
    // The new log begins at 1: records of what is brought back are recognised and not written twice.
    rmSync(paths.projectorCursor, { force: true });
  } finally {
    lock.release();
  }
}

function removeDatabase(world: World): void {
  const { database } = dataPaths(world.config.dataDir);
  for (const end of ['', '-wal', '-shm', '-journal']) rmSync(database + end, { force: true });
}

async function bringBack(
  world: World,
  masterKey: Uint8Array,
  log: Logger,
  redactor: SecretRedactor,
): Promise<RebuildResult> {
  const { clock, ids, crash } = world;
  const open = await openDataFolder(world, masterKey, log, redactor);
  try {
    await setupData({
      store: open.store,
      files: openFiles({ open, clock, crash, log }).files,
      clock,
      ids,
      log,
      workspacesDir: open.paths.workspaces,
      exampleDir: undefined,
      ownerName: OWNER,
      rebuiltWith: open.projectorKey,
    });
    return await rebuildRows({
      store: open.store,
      clock,
      log,
      root: open.paths.workspaces,
      macKey: open.projectorKey,
    });
  } finally {
    await open.close();
  }
}

function tell(world: World, result: RebuildResult): void {
  if (world.isJson) {
    world.out(`${JSON.stringify(result)}\n`);
    return;
  }
  const { messages, conversations, tasks, runs, flagged } = result;
  const left =
    flagged.length === 0
      ? ''
      : `Left out, because somebody changed them (file: lines):\n${flagged.map((line) => `  ${line}\n`).join('')}`;
  world.out(`The database was made anew: ${messages} messages in ${conversations} conversations, ${tasks} tasks, ${runs} runs.
${left}The gate is closed. Start it with \`npm start\`, enrol again with \`npx agent-runtime enrol --force\`, look through users,
tokens and keys, then \`npx agent-runtime gate open\`.
`);
}
