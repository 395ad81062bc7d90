// Owns: all that survives a restart. The rooms below are the only doors; kysely and SQLite never leave this package.
// Never: decides who may do what.
// Callers: apps/runtime; tests.
// Invariants: written only through `store.commit`, audited; readers see what is committed.
export * from './boot/index.ts';
export * from './paths/index.ts';
