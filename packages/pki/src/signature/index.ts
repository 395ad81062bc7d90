// Owns: the signature on an admin request (one closed RFC 9421 profile), its replay memory, decision signatures.
// Never: knows users, roles or revocation (the lookup does), reads a clock, trusts a forwarded header.
// Callers: tui (signs); runtime's admin door and the store's audit check (verify).
// Invariants: one accepted byte form per request; any doubt refuses; each nonce passes once; a check throws or has passed.
export * from './decision.ts';
export type { RequestHeaders } from './headers.ts';
export * from './nonce-cache.ts';
export { BOOT_HEADER, SIGNATURE_TAG, SIGNATURE_WINDOW_MS, SOCKET_AUTHORITY } from './profile.ts';
export * from './request-again.ts';
export * from './request-sign.ts';
export * from './request-verify.ts';
