// Owns: search by words over the files of a workspace, read when they are asked for.
// Never: writes; remembers more than a bounded number of notes; reads what the asker may not see.
// Callers: apps/runtime, as the search until an index is there and when it is away.
// Invariants: hidden notes change no count, no score and no order.
export { type FilesSearchOptions, filesSearch } from './files.ts';
