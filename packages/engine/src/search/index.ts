// Owns: search and open for people and for runs: filtered by label before, re-read and re-checked after.
// Never: ranks (the search port does); shows a file because an index named it.
// Callers: chat commands, the admin plane, the tool qmd_search.
// Invariants: what may not be seen here does not exist: no hit, no count, the same refusal as for a missing file.

export { pathId, pathOfId, visiblePaths } from './path-id.ts';
export * from './search.ts';
