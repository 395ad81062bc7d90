// Owns: approvals bound to a digest, votes, tiers, standing approvals.
// Never: decides who may vote (policy does); performs an effect.
// Callers: policy, the engine's approval and settle.
// Invariants: single use; any other digest is a conflict; a denial ends it; nothing counts after expiry.
export * from './approval.ts';
export * from './button.ts';
export * from './standing.ts';
