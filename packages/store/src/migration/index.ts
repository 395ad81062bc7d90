// Owns: the schema of the database, version by version, and the way from one to the next.
// Never: goes back; changes a version that was released.
// Callers: boot.
// Invariants: a migration runs on a copy first; a newer database is refused; a migration is whole or did not happen.
export * from './migrate.ts';
export * from './preflight.ts';
export * from './schema-1.ts';
export * from './versions.ts';
