// Owns: saying what was understood of a wish, and wishes that wait for the OK of who said them.
// Never: starts work that nobody confirmed where a place asks for it; believes a button about who pressed it.
// Callers: ingest, in the transaction of the arrival; the sweep of the effects.
// Invariants: one wish of a person waits in a conversation; one OK makes one task; rights are decided again when it comes.
export { acknowledge } from './acknowledge.ts';
export { askIntent, type Wish } from './ask.ts';
export { confirmIntent } from './confirm.ts';
export { lapseIn } from './end.ts';
export { expireIntents } from './expire.ts';
export { addTo, openIntentOf } from './open.ts';
export { pruneIntents } from './prune.ts';
export { INTENT_WORKFLOW } from './work.ts';
export { makeIntentWorkflow } from './workflow.ts';
