import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import type { Clock, ConfigFiles, CrashPoints, Logger, WorkspaceFiles } from '@agent-runtime/domain';
import {
  makeConfigFiles,
  makeProjector,
  makeWorkspaceFiles,
  type OpenStore,
  removeLeftovers,
  type SyncInput,
  syncConfig,
} from '@agent-runtime/store';
import { type Loop, repeat } from './loop.ts';

/** The Markdown side of a running appliance. */
export interface Files {
  readonly files: WorkspaceFiles;
  readonly configFiles: ConfigFiles;
  /**
   * Begins to keep records and settings in step with the database.
   * @param onSettings called after settings files changed rows
   */
  start(onSettings: () => Promise<void>): Promise<readonly Loop[]>;
  /** Writes what is committed and not yet in a file. */
  flush(): Promise<void>;
}

export interface FilesInput {
  readonly open: OpenStore;
  readonly clock: Clock;
  readonly crash: CrashPoints;
  readonly log: Logger;
}

/** Records follow the database within this time, ms: long enough that a burst becomes one write. */
const PROJECT_EVERY_MS = 1_000;
/** An edit of a settings file counts after this time at most, ms. */
const SYNC_EVERY_MS = 5_000;

/** The files of an open data folder; writes nothing before `start`. */
export function openFiles(input: FilesInput): Files {
  const { open, clock, crash, log } = input;
  const { paths, store, audit, projectorKey } = open;
  const files = makeWorkspaceFiles({
    root: paths.workspaces,
    goodFolder: join(paths.appliance, 'good'),
    macKey: projectorKey,
    store,
    clock,
    crash,
    log,
  });
  const projector = makeProjector({
    read: store.read,
    audit,
    root: paths.workspaces,
    cursorFile: paths.projectorCursor,
    macKey: projectorKey,
    crash,
    log,
  });
  const makeFolder = async (workspace: string): Promise<void> => {
    await mkdir(join(paths.workspaces, workspace), { recursive: true, mode: 0o700 });
  };
  return {
    files,
    configFiles: makeConfigFiles(files, makeFolder),
    start: async (onSettings) => {
      // Also beside the database: the projector's cursor and good versions of notes are written the same way.
      const removed = (await removeLeftovers(paths.workspaces)) + (await removeLeftovers(paths.appliance));
      if (removed > 0) log.info({ room: 'workspace', removed }, 'half-written files of a crash were removed');
      const taken: SyncInput['taken'] = new Map();
      await syncConfig({ store, files, clock, log, taken });
      return [
        repeat({ clock, log }, 'writing records', PROJECT_EVERY_MS, () => projector.run()),
        repeat({ clock, log }, 'reading settings files', SYNC_EVERY_MS, async () => {
          const changed = await syncConfig({ store, files, clock, log, taken });
          if (changed.length > 0) await onSettings();
        }),
      ];
    },
    flush: async () => void (await projector.run()),
  };
}
