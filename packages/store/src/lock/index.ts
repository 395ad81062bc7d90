// Owns: the lock that lets one process work on a data folder.
// Never: outlives its process; waits for another.
// Callers: boot; commands that work on a stopped data folder.
// Invariants: held by an open SQLite transaction, so the operating system frees it even after kill -9.
export * from './folder-lock.ts';
