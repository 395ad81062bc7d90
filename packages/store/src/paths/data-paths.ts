import { join, resolve } from 'node:path';

/** Every place inside a data folder that the store itself writes. */
export interface DataPaths {
  readonly data: string;
  /** Folder of database, lock and panic switch. */
  readonly appliance: string;
  readonly database: string;
  /** How far the projector has come. */
  readonly projectorCursor: string;
  readonly lock: string;
  readonly lockHolder: string;
  readonly panic: string;
  readonly vault: string;
  readonly audit: string;
  readonly checkpoints: string;
  readonly auditKey: string;
  /** The sealed CA. */
  readonly authority: string;
  readonly workspaces: string;
}

/** @param dataDir the data folder, absolute or relative to the working folder */
export function dataPaths(dataDir: string): DataPaths {
  const data = resolve(dataDir);
  const appliance = join(data, 'agent-runtime');
  const audit = join(data, 'audit');
  return {
    data,
    appliance,
    database: join(appliance, 'meta.sqlite'),
    projectorCursor: join(appliance, 'projector.json'),
    lock: join(appliance, 'lock.sqlite'),
    lockHolder: join(appliance, 'lock.holder'),
    panic: join(appliance, 'panic'),
    vault: join(data, 'secrets.vault'),
    audit,
    checkpoints: join(audit, 'checkpoints.jsonl'),
    auditKey: join(audit, 'signing-key.json'),
    authority: join(data, 'pki', 'authority.sealed'),
    workspaces: join(data, 'workspaces'),
  };
}
