// Owns: effects, their canonical bytes and digest, the effect machine, the filter of everything shown to a human.
// Never: performs anything; knows a platform's dialect.
// Callers: policy, approval, the engine's propose and settle.
// Invariants: the digest covers kind, sink, recipients and ordered wire payloads; final states never move.
export * from './diff.ts';
export * from './effect.ts';
export { urlsIn } from './link.ts';
export * from './machine.ts';
export * from './payload-words.ts';
export * from './reply-filter.ts';
