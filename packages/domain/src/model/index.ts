// Owns: the shape of model calls, routing, cooldown, usage and its price.
// Never: calls a model.
// Callers: prompt, adapters/llm, the engine's run.
// Invariants: a text never goes to a provider that is not cleared for its label; fallbacks obey as well.
export * from './ledger.ts';
export * from './message.ts';
export * from './route.ts';
