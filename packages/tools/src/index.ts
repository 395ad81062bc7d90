// Owns: what a model sees of each tool and what policy needs to know of it.
// Never: carries a tool out; the engine does that for host tools, the tool runner for sandbox tools.
// Callers: apps/runtime and apps/toolrunner.
// Invariants: arguments are strict and bounded; a target follows from the arguments alone; the whole list stays small in a prompt.
export * from './all.ts';
