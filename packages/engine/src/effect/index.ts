// Owns: making effects: kinds, rendering into final bytes, reach, proposals with their approval, the effect of an answer.
// Never: performs one (settle does); trusts the model's word about whom it reaches.
// Callers: run (tool calls and answers), notify, approval (edits), settle, panic, gate.
// Invariants: bytes are final at proposal; effect, approval, card and audit are one commit; a standing approval mints one per digest.
export * from './card.ts';
export * from './facts.ts';
export * from './kind.ts';
export * from './make.ts';
export * from './propose.ts';
export * from './reply.ts';
export * from './rules.ts';
export * from './standing.ts';
