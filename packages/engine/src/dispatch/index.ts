// Owns: the way of a queued run into the durable engine.
// Never: runs anything; creates a run.
// Callers: the engine's composition; accept and retry wake it.
// Invariants: a queued run is handed over at least once, by id; conversations are keys, workspaces are lanes.
export * from './dispatcher.ts';
