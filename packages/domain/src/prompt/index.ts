// Owns: what a model is shown: rules, guidance, memory, history, turns of the run; which citations are true.
// Never: reads a file; trusts a text because of its words.
// Callers: the engine's run.
// Invariants: the system role holds only staff-owned bytes and constants; a call and its result stay together; rules never drop out.
export * from './assemble.ts';
export * from './citations.ts';
export * from './fit.ts';
export * from './rules.ts';
