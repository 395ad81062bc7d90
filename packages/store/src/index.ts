// Owns: all that survives a restart. The rooms below are the only doors; kysely and SQLite never leave this package.
// Never: decides who may do what.
// Callers: apps/runtime; tests.
// Invariants: written only through `store.commit`, audited; readers see what is committed.
export { type AuditFile, readAuditFile } from './audit/audit-file.ts';
export { readCheckpoints } from './audit/checkpoint-file.ts';
export { type AuditVerdict, verifyAudit } from './audit/verify.ts';
export * from './boot/index.ts';
export { type FolderLock, lockFolder } from './lock/index.ts';
export { openPanicSwitch } from './panic/index.ts';
export * from './paths/index.ts';
export {
  type FileRecord,
  formatRecord,
  makeProjector,
  type ParsedRecords,
  type Projector,
  type ProjectorInput,
  parseRecords,
} from './projector/index.ts';
export { type RebuildInput, type RebuildResult, rebuild } from './rebuild/index.ts';
export {
  makeConfigFiles,
  type SetupInput,
  type SetupResult,
  type SyncInput,
  setupData,
  syncConfig,
} from './setup/index.ts';
export { createMasterKey, formatMasterKey, parseMasterKey } from './vault/master-key.ts';
export { writePrivateFile } from './vault/private-file.ts';
export { masterKeyFromRecovery, recoveryKeyOf } from './vault/recovery-key.ts';
export { makeSealer } from './vault/sealer.ts';
export { openVault, type Vault, vaultFile } from './vault/vault.ts';
export { type FilesInput, makeWorkspaceFiles, readFrontMatter, removeLeftovers } from './workspace/index.ts';
