// Owns: the one door in: checking, dedupe, who and where, conversations, commands of chat, new tasks and runs.
// Never: runs a model; trusts a name, an edit, a forward or a stranger's command.
// Callers: connectors through the runtime, the HTTP door, the admin plane.
// Invariants: resolves only when durable; the same event starts nothing twice; a command comes only from fresh words of chat.
export { type Ingest, type IngestHooks, makeIngest } from './accept.ts';
export { COMMANDS, type CommandArg, commandMenu, type MenuEntry, parseCommand } from './command.ts';
export { makeSuggest } from './suggest.ts';
export { makeRun, makeWork, queueRun, RUN_WORKFLOW } from './work.ts';
