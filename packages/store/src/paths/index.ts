// Owns: where everything of a data folder lies.
// Never: touches the disk.
// Callers: every room of the store; the runtime, for its messages.
// Invariants: the paths of docs/guides/recovery.md; absolute in, absolute out.
export * from './data-paths.ts';
