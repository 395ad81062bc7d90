import type { Logger } from '@agent-runtime/domain';
import { type OpenStore, openStore } from '@agent-runtime/store';
import { witnessFile } from '../command/master-key.ts';
import type { World } from '../command/world.ts';
import type { SecretRedactor } from './secrets.ts';

/** Opens the data folder of the configuration, the same way for every command. @throws AppError as `openStore` */
export function openDataFolder(
  world: World,
  masterKey: Uint8Array,
  log: Logger,
  redactor: SecretRedactor,
): Promise<OpenStore> {
  const { config, clock, crash } = world;
  return openStore({
    dataDir: config.dataDir,
    masterKey,
    witnessFile: witnessFile(config),
    clock,
    log,
    crash,
    redactor,
    config: { auditContent: config.AUDIT_CONTENT },
  });
}
