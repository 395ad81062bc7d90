// Owns: the way out: claiming approved effects, delivering their stored bytes, recording outcomes, what a restart finds unfinished.
// Never: renders; decides without policy; sends an approved effect again when its outcome is unknown.
// Callers: the engine's start, drain and wake-ups; the admin route that resolves an uncertain effect.
// Invariants: the claim with its audit is durable before the first byte (T4); one consumed approval per execution (T1); stored bytes only.
export * from './claim.ts';
export * from './outbox.ts';
export * from './perform.ts';
export * from './performer.ts';
export * from './record.ts';
export * from './recover.ts';
export * from './resolve.ts';
export * from './tell.ts';
