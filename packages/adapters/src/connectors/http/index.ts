// Owns: the outgoing half of doors that are asked: HTTP and the command line.
// Never: listens; the server of the runtime does, and calls the engine itself.
// Callers: apps/runtime.
// Invariants: a reply is there once it is committed; nothing is ever sent to a door.
export { pullConnector } from './http.ts';
