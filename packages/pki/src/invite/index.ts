// Owns: invite codes (make, write, read), the key derived from one, the two proofs of an enrolment.
// Never: stores an invite, marks one used, sends or logs a code, decides user or role (fixed in the stored invite).
// Callers: runtime (makes invites, checks and answers proofs); tui (reads a code, proves, checks the answer).
// Invariants: the code is never sent and never stored; a proof fits one invite, one key and one direction.
export * from './invite-code.ts';
export * from './invite-proof.ts';
