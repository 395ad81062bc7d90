// Owns: signs of life while an answer is made: "is typing", and one message that is edited as the words come.
// Never: stores or delivers anything; shows words that the filter, the rights or the label of this moment do not allow; holds up a run.
// Callers: the run, at its beginning and its end; the outbox, before an answer leaves.
// Invariants: nothing is shown once the answer is on its way; one timer for typing per place; without a run in a chat there is none.
export { makePresence, type Presence, type Showing } from './presence.ts';
export { talkAt } from './talk.ts';
