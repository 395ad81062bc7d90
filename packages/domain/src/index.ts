// Owns: words and decisions of agent-runtime: types, pure functions, ports.
// Never: I/O, clock, randomness.
// Callers: every package.
// Invariants: folders are ranked base label identity effect context hub approval tool policy task model prompt audit port contract; look left only.
export * from './approval/index.ts';
export * from './audit/index.ts';
export * from './base/index.ts';
export * from './context/index.ts';
export * from './contract/index.ts';
export * from './effect/index.ts';
export * from './hub/index.ts';
export * from './identity/index.ts';
export * from './label/index.ts';
export * from './model/index.ts';
export * from './policy/index.ts';
export * from './port/index.ts';
export * from './prompt/index.ts';
export * from './task/index.ts';
export * from './tool/index.ts';
