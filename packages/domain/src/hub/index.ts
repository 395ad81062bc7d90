// Owns: the admin hub of a connector: who asked for it, where it is, whose texts it may show.
// Never: knows a chat platform; clears anything by itself.
// Callers: policy, the port of the store, the engine's hub and admin rooms.
// Invariants: a request clears nothing; what is no longer the hub's own closed place is no hub; private texts never go there.
export * from './hub.ts';
