// Owns: adapters to models, one folder per provider, and the promise of the port that all of them keep.
// Never: retries, routes, counts money; throws; shows a key.
// Callers: apps/runtime, which joins them to the engine; tests.
// Invariants: every stream ends with exactly one `done` or `failed`; tool calls are whole; nothing heavy is loaded before the first call.
export * from './offline/index.ts';
export * from './openai-compatible/index.ts';
export * from './scripted/index.ts';
export * from './zai/index.ts';
