// Owns: the algorithms: accept, run, propose, settle, panic. Every file either accepts (load, decide, commit) or settles (claim, perform, record).
// Never: SQL, files, sockets, clocks of its own.
// Callers: apps/runtime; tests.
// Invariants: what is accepted is durable; what needs an approval is performed at most once for each.
export * from './admin/index.ts';
export * from './api.ts';
export { makeEngine } from './engine.ts';
export { COMMANDS, type CommandArg, commandMenu, type MenuEntry } from './ingest/index.ts';
export { openPath, searchWorkspace } from './search/index.ts';
