// Owns: labels {integrity, audience}, their join, the clearance of every kind of sink, labels of files.
// Never: looks at the words of a text; raises a label (approvals do).
// Callers: every room that moves text.
// Invariants: join only lowers integrity and widens the audience; what a model wrote is at most `member`.
export * from './clearance.ts';
export * from './file-label.ts';
export * from './label.ts';
