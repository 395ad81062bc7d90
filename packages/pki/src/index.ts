// Owns: client keys, signed requests and decisions, invites, the internal CA and its certificates.
// Never: stores anything, reads a clock, opens a connection, decides what a proven signer may do.
// Callers: tui and runtime. Imports only domain.
// Invariants: a check throws or has passed; each purpose has its own prefix; no secret in an error.
// The room `certificate` has a door of its own, `@agent-runtime/pki/certificate`: most commands never need its library.
export * from './invite/index.ts';
export {
  type ClientKey,
  exportClientKey,
  exportPublicKey,
  importClientKey,
  importPublicKey,
  type KeyId,
  keyIdOf,
  newClientKey,
  parseKeyId,
} from './key/index.ts';
export * from './signature/index.ts';
