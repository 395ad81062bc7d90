// Owns: stopping everything, or everything of one principal, and letting it start again.
// Never: refuses staff; waits for a disk before it stops; sends anything old afterwards.
// Callers: ingest (chat), the admin routes and the socket through the engine, the sweep.
// Invariants: the flag in memory comes first; what never left is void, what was on its way is uncertain; off is signed.
export * from './panic.ts';
export * from './void.ts';
