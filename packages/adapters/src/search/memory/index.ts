// Owns: search over notes in memory, for tests.
// Never: reads a file.
// Callers: tests.
// Invariants: ranks like the search over files.
export { type MemorySearch, memorySearch } from './memory.ts';
