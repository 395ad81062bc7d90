// Owns: answers without a model: search, read, quote with file and line.
// Never: makes up a sentence about the subject; calls a network; costs a token.
// Callers: apps/runtime, when no key is set; the demo.
// Invariants: pure in its request; every answer says that no model is configured; every quotation has its place.
export { offlineProvider } from './offline.ts';
