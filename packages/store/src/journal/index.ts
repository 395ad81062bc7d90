// Owns: rows of the embedded engine: work, its queue by key and lane, its recorded steps.
// Never: runs a workflow; holds a fact that the audit would miss.
// Callers: the engine's durable room; commit, for steps that share a transaction.
// Invariants: one running work per key, in the order of enqueueing; a claim counts only in its own boot epoch.
export * from './claim.ts';
export * from './journal.ts';
export * from './step.ts';
export * from './work-row.ts';
