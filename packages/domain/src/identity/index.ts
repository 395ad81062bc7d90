// Owns: principals, the five roles, scopes, grants, tokens, client keys, linked accounts.
// Never: decides what a role may do (policy does); trusts a display name.
// Callers: policy and everything above it.
// Invariants: a token is never above member or its owner; an expired grant gives nothing; a guest has no role.
export * from './pairing.ts';
export * from './principal.ts';
export * from './role.ts';
export * from './scope.ts';
export * from './token.ts';
