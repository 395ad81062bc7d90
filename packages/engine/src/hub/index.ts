// Owns: the wish of a place to be the admin hub, and the cards that tell a hub of open questions.
// Never: makes a place the hub (an admin signs that, see admin); delivers; shows a hub what it is not cleared for.
// Callers: ingest, effect, settle, admin.
// Invariants: a request clears nothing and is the same for the same place; one card per question and hub; nothing is queued under panic
// or behind the gate.
export * from './card.ts';
export * from './mirror.ts';
export * from './request.ts';
