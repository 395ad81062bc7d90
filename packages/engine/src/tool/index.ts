// Owns: the host tools: reading, listing, searching and writing Markdown for a run.
// Never: decides (policy has spoken before); names a file that may not be seen in the run's context.
// Callers: the run loop.
// Invariants: each result carries the join of its sources' labels; results stay below the tool's limit.
export { carryOut, type HostCall } from './carry-out.ts';
export { type HostResult, staffUrls } from './result.ts';
export { visibleFile, visibleFiles } from './visible.ts';
export { keptLabel, planWrite } from './write.ts';
