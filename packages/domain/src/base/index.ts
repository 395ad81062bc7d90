// Owns: errors, ids, JSON in canonical form, digests, text that is safe to show.
// Never: decides anything about people, effects or labels.
// Callers: everyone.
// Invariants: pure; equal values have equal canonical bytes; an AppError's message is safe to show anyone.
export * from './digest.ts';
export * from './error.ts';
export * from './id.ts';
export * from './json.ts';
export * from './redact.ts';
export * from './visible.ts';
