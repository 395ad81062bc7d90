// Owns: what a tool is, its arguments, what it touches, what a workspace path is for.
// Never: runs a tool.
// Callers: policy, prompt, tools, the engine.
// Invariants: arguments are checked before policy sees them; an unclear path is forbidden.
export * from './path-class.ts';
export * from './tool.ts';
export * from './url.ts';
