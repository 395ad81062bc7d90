// Owns: the embedded engine of durable work: claiming, steps, recovery, drain; the algorithm, no SQL.
// Never: knows what a run is; decides anything.
// Callers: the composition of the engine.
// Invariants: one running work per key in order; a recorded step never runs again; every work ends in a final state.
export * from './embedded.ts';
