// Owns: bringing back from Markdown what a lost database knew: messages, conversations, tasks, runs, labels.
// Never: brings back authority: users, grants, tokens, keys, approvals, outbox, audit, marks of what was taken in.
// Callers: the runtime's rebuild command, on a fresh store.
// Invariants: only records with our MAC count; the gate is closed afterwards; restore first, rebuild second.
export { type RebuildInput, type RebuildResult, rebuild } from './rebuild.ts';
export { type RestoreLabelsInput, restoreLabels } from './restore-labels.ts';
