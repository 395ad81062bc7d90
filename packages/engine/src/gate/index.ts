// Owns: the gate that stands between restored data and the world.
// Never: opens by itself, from chat or by a model.
// Callers: restore and rollback, the engine's start, the admin route.
// Invariants: while closed nothing is accepted or performed; what was unfinished before is void or uncertain, never sent.
export * from './gate.ts';
