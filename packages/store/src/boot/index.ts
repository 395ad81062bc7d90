// Owns: opening and closing a data folder: lock, schema, boot epoch, vault, panic, the look for rolled-back data.
// Never: starts the engine; opens the gate.
// Callers: the runtime's main, commands on a stopped folder, tests.
// Invariants: one process per folder; each opening has its own epoch; what looks rolled back starts with the gate closed.
export type { AuditLog } from './kernel.ts';
export * from './memory-store.ts';
export * from './open-store.ts';
export type { StoreConfig, StoreInput } from './store-input.ts';
