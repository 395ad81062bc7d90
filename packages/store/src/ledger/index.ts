// Owns: sums over the token ledger, the release of reservations that a dead process left.
// Never: prices a call; decides whether a budget is spent.
// Callers: commit (reads), boot (release).
// Invariants: what is reserved counts like what is spent; what was released counts nothing.
export * from './release.ts';
export * from './spent.ts';
