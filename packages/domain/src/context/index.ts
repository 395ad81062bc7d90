// Owns: workspaces, contexts and what they inherit, conversations and messages.
// Never: reads a file or a channel; decides who may speak (policy does).
// Callers: policy, prompt, the engine, the store.
// Invariants: a context only narrows the tools and models of its workspace.
export * from './context.ts';
export * from './conversation.ts';
export * from './seen.ts';
