// Owns: the master key, keys derived from it, sealed bytes, the file of secrets.
// Never: lets a secret into a log, an error, the audit or the database.
// Callers: boot, audit (its signing key), the runtime (connector tokens), setup and recovery.
// Invariants: every entry is bound to its name; a wrong key or a changed file is refused, never half read; files are 0600.
export * from './derived-key.ts';
export * from './master-key.ts';
export * from './private-file.ts';
export * from './recovery-key.ts';
export * from './seal.ts';
export * from './sealer.ts';
export * from './vault.ts';
