// Owns: the shape of everything that crosses a process boundary: public API, admin API, JSON of the command line.
// Never: decides, stores, or knows a transport's library.
// Callers: the runtime's HTTP doors and the command line, each with the same schema.
// Invariants: instants are ISO 8601 in UTC, names are snake_case; a view leaves out secrets by construction.
export * from './admin.ts';
export * from './admin-enrol.ts';
export * from './admin-house.ts';
export * from './admin-hub.ts';
export * from './admin-parts.ts';
export * from './admin-people.ts';
export * from './admin-place.ts';
export * from './admin-route.ts';
export * from './admin-work.ts';
export * from './error-wire.ts';
export * from './event-wire.ts';
export * from './parts.ts';
export * from './run-wire.ts';
export * from './signed-acts.ts';
export * from './stream-wire.ts';
