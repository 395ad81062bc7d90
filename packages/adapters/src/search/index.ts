// Owns: search over the Markdown of one workspace: words, passages, ranking.
// Never: decides who may see a note; it asks, before it counts.
// Callers: apps/runtime, which joins it to the engine; tests.
// Invariants: pure ranking; the same notes and question give the same hits; a hit names the line where its passage begins.
export * from './files/index.ts';
export * from './memory/index.ts';
