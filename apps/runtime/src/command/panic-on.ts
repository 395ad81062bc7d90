import { AppError } from '@agent-runtime/domain';
import { dataPaths, lockFolder, openPanicSwitch } from '@agent-runtime/store';
import { configSecrets, secretRedactor } from '../assembly/secrets.ts';
import { systemLogger } from '../system/logger.ts';
import { instanceState } from './instance.ts';
import type { World } from './world.ts';

/** Who turned it on, as `panic status` shows it. */
const BY = 'the command line, with no runtime running';

/**
 * `panic-on`: turns panic on in a data folder that no runtime serves, so that the next start does nothing. A runtime that hangs
 * does not see the file; then it is written all the same, and the error says to end that process.
 * @throws AppError runtime.instance.missing · panic.file.unavailable · runtime.panic.uncertain (a process holds the folder)
 */
export function panicOn(world: World): number {
  const { config } = world;
  if (instanceState(config) === 'new') throw nothingThere(config.dataDir);
  const holder = write(world);
  if (holder !== undefined) throw stillRunning(holder);
  const state = { on: true, by: BY };
  world.out(
    world.isJson
      ? `${JSON.stringify(state)}\n`
      : 'No runtime was running. Panic is on in its data folder: the next start runs nothing and sends nothing.\nEnd it after that start: agent-runtime panic off\n',
  );
  return 0;
}

/** @returns what stands in the way of being sure, when another process holds the folder */
function write(world: World): AppError | undefined {
  const paths = dataPaths(world.config.dataDir);
  const redactor = secretRedactor(configSecrets(world.config));
  const log = systemLogger({ level: 'warn', format: world.logFormat }, redactor, { write: world.err });
  let holder: AppError | undefined;
  let release = (): void => undefined;
  try {
    release = lockFolder(paths).release;
  } catch (thrown) {
    if (!(thrown instanceof AppError) || thrown.code !== 'lock.folder.conflict') throw thrown;
    holder = thrown;
  }
  try {
    const panic = openPanicSwitch(paths.panic, { isFresh: false, log });
    panic.turnOn(BY, world.clock.nowMs());
    panic.close();
    confirmOnDisk(paths.panic, log);
  } finally {
    release();
  }
  return holder;
}

/** Turning on never fails by itself; here only the disk counts, so it is read again. */
function confirmOnDisk(path: string, log: Parameters<typeof openPanicSwitch>[1]['log']): void {
  const again = openPanicSwitch(path, { isFresh: false, log });
  const isOn = again.isOn();
  again.close();
  if (isOn) return;
  throw new AppError({
    code: 'panic.file.unavailable',
    kind: 'unavailable',
    message: 'Panic could not be written to the disk. Do not start the runtime.',
  });
}

function nothingThere(dataDir: string): AppError {
  return new AppError({
    code: 'runtime.instance.missing',
    kind: 'missing',
    message: `There is no instance in ${dataDir}, so there is nothing to stop. Set AGENT_RUNTIME_DATA_DIR to the folder of yours.`,
  });
}

function stillRunning(holder: AppError): AppError {
  return new AppError({
    code: 'runtime.panic.uncertain',
    kind: 'uncertain',
    message: `Panic is written for the next start, but a process that does not answer still holds the data folder. End it. ${holder.message}`,
    cause: holder,
  });
}
