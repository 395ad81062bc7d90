// Owns: Discord: its gateway, its REST API, and what their messages, commands and buttons mean.
// Never: decides who may speak; trusts a name; starts or answers anything by itself beyond "is thinking".
// Callers: apps/runtime, which loads this entry only when there is a token: the library is heavy; tests.
// Invariants: a command is answered before anything is awaited; nobody is mentioned; no token leaves but in a call to Discord.
export type { CommandOption, DiscordCommand } from './commands.ts';
export { accountOf, type DiscordOptions, discordConnector } from './discord.ts';
