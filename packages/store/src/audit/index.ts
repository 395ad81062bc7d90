// Owns: the append-only log and its hash chain, signed checkpoints, reading and verifying the log, the search for rolled-back data.
// Never: changes or deletes a record; decides what is worth recording.
// Callers: commit (writer), boot, the runtime's admin doors (reader), the command line (`audit verify --file`).
// Invariants: numbers without holes; a record and what it tells of share one transaction; no secret is stored.
export * from './audit-file.ts';
export * from './audit-key.ts';
export * from './audit-reader.ts';
export * from './audit-row.ts';
export * from './audit-writer.ts';
export * from './checkpoint-file.ts';
export * from './checkpointer.ts';
export * from './rollback.ts';
export * from './signed-action.ts';
export * from './verify.ts';
export * from './witness.ts';
