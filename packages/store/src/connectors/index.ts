// Owns: what connectors keep across restarts, sealed, in one table.
// Never: holds a fact that the audit would miss; lets one connector read another's.
// Callers: boot; the runtime hands each connector its own part.
// Invariants: a value is durable when `set` resolves; it opens under this appliance's master key alone.
export * from './memory.ts';
