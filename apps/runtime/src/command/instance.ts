import { existsSync, readdirSync } from 'node:fs';
import { AppError } from '@agent-runtime/domain';
import { dataPaths } from '@agent-runtime/store';
import type { Config } from '../config.ts';
import { markOf, unfinished } from './making.ts';
import { hasMasterKey } from './master-key.ts';

/**
 * What lies in the data folder: `new` nothing yet · `ready` a database · `lost` Markdown without its database. What a killed process was
 * making is not there yet: a set-up is begun again, a rebuild too.
 */
export type InstanceState = 'new' | 'ready' | 'lost';

export function instanceState(config: Pick<Config, 'dataDir'>): InstanceState {
  const paths = dataPaths(config.dataDir);
  const half = unfinished(config);
  if (half !== undefined) return half === 'setup' ? 'new' : 'lost';
  if (existsSync(paths.database)) return 'ready';
  const hasNotes = existsSync(paths.workspaces) && readdirSync(paths.workspaces).length > 0;
  return hasNotes || existsSync(paths.auditKey) ? 'lost' : 'new';
}

/** @throws AppError runtime.instance.missing (set up first) · runtime.instance.conflict (rebuild first) */
export function assertReady(config: Config): void {
  switch (instanceState(config)) {
    case 'ready':
      return;
    case 'lost':
      throw databaseGone(config);
    case 'new':
      throw new AppError({
        code: 'runtime.instance.missing',
        kind: 'missing',
        message: `There is no instance in ${config.dataDir}. Make one with \`agent-runtime setup\`, or set AGENT_RUNTIME_DATA_DIR to the folder of yours.`,
      });
  }
}

/** @throws AppError runtime.instance.conflict when something is there already */
export function assertNew(config: Config): void {
  if (instanceState(config) === 'lost') throw databaseGone(config);
  if (instanceState(config) === 'ready') {
    throw new AppError({
      code: 'runtime.instance.conflict',
      kind: 'conflict',
      message: `${config.dataDir} is set up already. Start it with \`npm start\`.`,
    });
  }
  if (hasMasterKey(config) && config.MASTER_KEY === undefined && unfinished(config) === undefined) {
    throw new AppError({
      code: 'runtime.key.conflict',
      kind: 'conflict',
      message: `${config.secretsDir} holds a master key, but there is no data in ${config.dataDir}. Put the data back, or move the key away if it is no longer needed.`,
    });
  }
}

function databaseGone(config: Pick<Config, 'dataDir'>): AppError {
  if (unfinished(config) === 'rebuild') return rebuildKilled(config);
  return new AppError({
    code: 'runtime.instance.conflict',
    kind: 'conflict',
    message: `${config.dataDir} has notes but no database. Restore a backup of it; without one run \`agent-runtime rebuild\`, which makes it anew from the Markdown.`,
  });
}

function rebuildKilled(config: Pick<Config, 'dataDir'>): AppError {
  return new AppError({
    code: 'runtime.instance.conflict',
    kind: 'conflict',
    message: `A rebuild of ${config.dataDir} was cut off, its database is not whole. Run \`agent-runtime rebuild\` again. If you have put the database of a backup there since, remove ${markOf(config)} instead.`,
  });
}
