// Owns: the internal CA, certificate requests, the certificates of people, proxy and server, and their ends.
// Never: stores a key or certificate, encrypts the CA's key, reads a clock, knows revocations, opens a connection.
// Callers: runtime (makes, signs, verifies, watches); tui (requests, verifies the server).
// Invariants: one byte form per profile, made and checked by the same code; a check throws or has passed; trust comes from the caller, never from the peer.
export {
  type Ca,
  type CaCert,
  caFingerprint,
  exportCaKey,
  type Fingerprint,
  importCa,
  newCa,
  readCa,
} from './ca.ts';
export {
  type Issued,
  type IssueInput,
  issueClientCert,
  issueProxyCert,
  issueServerCert,
} from './issue.ts';
export {
  type ExpiryAlarm,
  expiryAlarms,
  isDueForRenewal,
  type Lifetime,
  type Urgency,
  type WatchedCert,
} from './lifetime.ts';
export { certificatePem } from './pem.ts';
export { type CertificateKind, LIFETIME_MS, PROXY_NAME } from './profile.ts';
export { makeCsr, readCsr } from './request.ts';
export {
  type CertificateToVerify,
  type VerifiedCert,
  type VerifiedClientCert,
  verifyClientCert,
  verifyProxyCert,
  verifyServerCert,
} from './verify.ts';
