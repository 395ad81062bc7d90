// Owns: what an answer in Markdown looks like in each chat: one parse, one renderer per dialect, cut into messages.
// Never: does I/O, decides what may be shown (filterReply did), or trusts that its input is Markdown.
// Callers: connectors/telegram and connectors/discord, from `render` and from live frames.
// Invariants: never throws; the same text gives the same parts; parts fit their limit; words stay, in order.
export { DISCORD_LIMIT_CHARS, renderDiscord } from './discord.ts';
export {
  type AnswerFile,
  MOST_PARTS,
  type Rendered,
  type RenderOptions,
  renderDiscordOrFile,
  renderTelegramOrFile,
} from './render-or-file.ts';
export { renderTelegram, TELEGRAM_LIMIT_CHARS, type TelegramPart } from './telegram.ts';
