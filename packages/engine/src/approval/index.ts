// Owns: answers to open questions: approve, deny, release, withdraw, edit, expire; the buttons and last words of their cards; the audit head
// that is signed with an answer.
// Never: performs an effect; makes a decision that policy did not permit.
// Callers: ingest (commands, buttons), the admin routes through the engine, sweeps.
// Invariants: every answer is decided and written again inside its transaction; an answer counts for one digest; a double counts once.
export * from './buttons.ts';
export * from './cards.ts';
export * from './deadline.ts';
export { edit } from './edit.ts';
export * from './expire.ts';
export { type FormQuestion, formText } from './form.ts';
export * from './head.ts';
export * from './vote.ts';
export * from './withdraw.ts';
