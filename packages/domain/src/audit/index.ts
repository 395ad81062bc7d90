// Owns: the shape of audit events and checkpoints, their hashes, verification of the chain.
// Never: writes the log (the store does); holds a key.
// Callers: store/audit, the command line's `audit verify`.
// Invariants: no hole, flip, swap, insertion or truncation passes verification against a signed head.
export * from './chain.ts';
