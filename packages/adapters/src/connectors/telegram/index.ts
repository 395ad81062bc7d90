// Owns: a bot on Telegram: long polling or webhook in, the Bot API out.
// Never: loaded by `connectors/index.ts` (the library costs 15 MB); lets a token into a log or an error; sends what the server would refuse for haste.
// Callers: apps/runtime, through the entry `@agent-runtime/adapters/telegram`, once a token is configured; tests.
// Invariants: an update is confirmed after all it brought is durable; there is one poller; a refused token is asked with no more.
export { toInbound } from './inbound.ts';
export { botIdOf, type TelegramCommand, type TelegramCommandScope, type TelegramOptions } from './options.ts';
export type { TelegramSelf } from './place.ts';
export { type TelegramConnector, telegramConnector } from './telegram.ts';
export { isWebhookSecret } from './webhook.ts';
