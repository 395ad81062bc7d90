// Owns: the admin API on HTTP: who signed, which route, which error; the unix socket it is served on.
// Never: decides what a proven person may do (engine/admin asks policy); trusts a header of a proxy.
// Callers: main.ts of the runtime.
// Invariants: without a signature only the routes marked in the contract pass, and only on the socket; a nonce passes once.
export { makeAdminApp } from './app.ts';
export { CERTIFICATE_HEADER } from './certificate-check.ts';
export type { AdminAppInput, AdminParts, Transport } from './deps.ts';
export { type Enrolment, makeEnrolment } from './enrolment.ts';
export { makeKeyCheck } from './key-check.ts';
export {
  type AdminSocket,
  type AdminSocketInput,
  adminSocketPath,
  SOCKET_POINTER,
  serveAdminSocket,
} from './socket.ts';
