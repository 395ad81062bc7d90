// Owns: the few methods that the core needs of the world: clock, ids, log, store, files, durable work, models, connectors, search.
// Never: names a library's type.
// Callers: the engine uses them; store, adapters and apps implement them.
// Invariants: every promise says what it throws; nothing here does anything.
export * from './admin.ts';
export * from './durable.ts';
export * from './files.ts';
export * from './outside.ts';
export * from './store.ts';
export * from './system.ts';
export * from './work.ts';
