// Owns: an emulated server of the Telegram Bot API, on loopback, with a world of people and chats that a test plays.
// Never: reaches a network beyond 127.0.0.1 (a webhook's address is the test's); lets a wrong call pass unrecorded.
// Callers: tests of adapters/connectors/telegram and of the whole runtime, benchmarks.
// Invariants: a call is recorded before it is played; updates have rising ids; texts of refusals are those of the real server.
export { Upload } from './body.ts';
export type { NewChat, TelegramCast } from './cast.ts';
export type { BotCommand } from './commands.ts';
export { type CallHook, type SpecViolation, type TelegramCall, uploadIn } from './desk.ts';
export type { Fault, FaultRule, Faults } from './faults.ts';
export type { MembershipChange, People, Rewording } from './people.ts';
export type { RateRules } from './rates.ts';
export type { Attachments, Saying, SentFile } from './saying.ts';
export {
  startTelegramServer,
  type TelegramServer,
  type TelegramServerOptions,
} from './server.ts';
export { findEntities } from './text.ts';
export type { UpdateQueue } from './updates.ts';
export type { Webhook } from './webhook.ts';
export * from './wire.ts';
export type { StoredMessage } from './world.ts';
