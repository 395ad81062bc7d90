// Owns: an emulated Discord on loopback: REST API v10, gateway, people who speak, and all that goes wrong with them.
// Never: reaches a network; decides anything about what is said.
// Callers: tests of adapters/connectors/discord and of the whole runtime, benchmarks, the demo.
// Invariants: each call is recorded before it is processed; what the real platform refuses is refused, and noted.
export type { Gateway, GatewayLine } from './gateway/gateway.ts';
export { INTENTS } from './gateway/intents.ts';
export type { CallMatcher, DiscordCall, Violation } from './rest/call.ts';
export type { Fault, FaultKind, Faults } from './rest/faults.ts';
export type { RateLimit, RateLimits } from './rest/rate-limits.ts';
export type { CallHook } from './rest/rest-server.ts';
export { type DiscordServer, type DiscordServerOptions, startDiscordServer } from './server.ts';
export type { CommandRecord } from './world/commands.ts';
export type { Community, TypedCommand } from './world/community.ts';
export type { InteractionAnswer, InteractionRecord } from './world/interactions.ts';
export type { SaidFile, Say } from './world/say.ts';
export {
  MESSAGE_FLAGS,
  type WireChannel,
  type WireMember,
  type WireMessage,
  type WireUser,
} from './world/wire.ts';
export type { GuildRecord, MessageRecord } from './world/world.ts';
