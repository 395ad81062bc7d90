// Owns: the shape of audit events and checkpoints, their hashes, verification of the chain and of the people's signatures in it.
// Never: writes the log (the store does); holds a key.
// Callers: store/audit, the command line's `audit verify`.
// Invariants: no hole, flip, swap, insertion or truncation passes verification against a signed head; no signature counts that its
// key, its words or its place in the log does not carry.
export * from './chain.ts';
export * from './signatures.ts';
