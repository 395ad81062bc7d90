// Owns: a chat without a platform: people, channels, buttons, messages and mishaps, in memory or in two files of a folder.
// Never: calls a network.
// Callers: tests, the demo, and runtimes that are driven by files.
// Invariants: what arrived is exactly what was delivered, in order; an event is acknowledged only after it was accepted.
export type { MemoryChannel, Utterance } from './event.ts';
export { type FolderOptions, folderConnector } from './folder.ts';
export { type MemoryLive, type MemorySign, memoryLive, type SignFault } from './live.ts';
export { type MemoryConnector, type MemoryOptions, memoryConnector } from './memory.ts';
export { MEMORY_LIMIT_CHARS } from './payload.ts';
export type { Delivered, MemoryFault } from './receiver.ts';
