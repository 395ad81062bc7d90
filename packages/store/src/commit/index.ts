// Owns: the ports Store, StoreReader and StoreTx: reading, and writing together with the audit.
// Never: writes without an audit event; shows a reader what is not committed.
// Callers: boot hands the port to engine, runtime and the other rooms of the store.
// Invariants: all of a commit or nothing of it; a transaction cannot be used after its body has ended.
export * from './read-cache.ts';
export * from './reader.ts';
export * from './store.ts';
export * from './transaction.ts';
