// Owns: entries of memory files and their own labels.
// Never: decides what may be remembered (policy does).
// Callers: the workspace room.
// Invariants: an entry keeps its label while its words stay; the file's label is the join of its entries.
export * from './entries.ts';
