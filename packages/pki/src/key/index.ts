// Owns: the client key: its one accepted shape, its id, its way in and out of a file, raw rsa-pss-sha512.
// Never: stores a key, asks for a passphrase, decides whose key it is or whether it is revoked.
// Callers: the other rooms of pki; tui (makes and loads keys); runtime (imports the public halves it enrolled).
// Invariants: a ClientKey or KeyId in hand has passed the shape check; equal keys have equal ids; no secret in an error.
export * from './client-key.ts';
export * from './public-key.ts';
export * from './rsa-pss.ts';
