// Owns: what people may ask of the appliance: one handler per route of the contract, each load -> decide -> commit.
// Never: knows HTTP, reads a secret back, shows a text whose label is not for the asker.
// Callers: the runtime's admin door.
// Invariants: every request meets policy; every change is one commit with its audit event; refusals are written down.
import { APPROVAL } from './approval.ts';
import { ASK } from './ask.ts';
import { AUDIT } from './audit.ts';
import { CERTIFICATE } from './certificate.ts';
import { CONTEXT } from './context.ts';
import type { AdminTable } from './deps.ts';
import { EFFECT } from './effect.ts';
import { GRANT } from './grant.ts';
import { HUB } from './hub.ts';
import { INVITE } from './invite.ts';
import { KEY } from './key.ts';
import { LABEL } from './label.ts';
import { MEMORY } from './memory.ts';
import { PAIR } from './pair.ts';
import { SEARCH } from './search.ts';
import { SECRET } from './secret.ts';
import { STANDING } from './standing.ts';
import { STATUS } from './status.ts';
import { SWITCH } from './switch.ts';
import { TASK } from './task.ts';
import { TOKEN } from './token.ts';
import { USER } from './user.ts';
import { WORKSPACE } from './workspace.ts';

/** Every route of the contract; the compiler refuses a missing one. */
export const ADMIN: AdminTable = {
  ...STATUS,
  ...SWITCH,
  ...SECRET,
  ...AUDIT,
  ...ASK,
  ...TASK,
  ...EFFECT,
  ...APPROVAL,
  ...STANDING,
  ...WORKSPACE,
  ...CONTEXT,
  ...LABEL,
  ...MEMORY,
  ...SEARCH,
  ...USER,
  ...GRANT,
  ...TOKEN,
  ...KEY,
  ...INVITE,
  ...CERTIFICATE,
  ...PAIR,
  ...HUB,
};

export type {
  About,
  AdminDeps,
  AdminHandler,
  AdminTable,
  CertificateAuthority,
  Doors,
  EnrolClaim,
  IssuedCertificate,
  KeyCheck,
  MadeInvite,
  ProvedKey,
  TrustedCa,
  WatchedCertificate,
} from './deps.ts';
export { type HeldRevocations, holdRevocations } from './held.ts';
export { isOutputFor, runFor, visibleRun } from './task.ts';
export { type LogToVerify, verifyLog } from './verify-log.ts';
export { cutOff, mayWatch, REVOKED_TOPIC, WATCHED_TOPICS } from './watch.ts';
