// Owns: notices of the appliance to the people of a context, and the words in which an outcome enters its conversation.
// Never: delivers (settle does); shows what may not be read there; says the same thing twice within 90 days.
// Callers: effect, approval, settle, panic, gate, the engine's sweeps.
// Invariants: one notice per key; every text passes effect.show and the reply filter; nothing is queued under panic or behind the gate.
export * from './notice.ts';
export * from './outcome.ts';
export * from './prune.ts';
