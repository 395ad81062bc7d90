// Owns: stand-ins for the world: clock, ids, log, feed, panic, ways to die, a server that talks like a model provider.
// Never: runs in production; decides anything.
// Callers: tests, benchmarks and the demo.
// Invariants: the same seed gives the same values; time moves only when told to; nothing here needs the network beyond 127.0.0.1.
export * from './clock.ts';
export * from './crash.ts';
export * from './discord/index.ts';
export * from './ids.ts';
export * from './live.ts';
export * from './llm-server/index.ts';
export * from './log.ts';
export * from './panic.ts';
