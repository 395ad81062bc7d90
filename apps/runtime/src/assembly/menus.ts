import type { DiscordCommand } from '@agent-runtime/adapters/discord';
import type { TelegramCommand, TelegramCommandScope } from '@agent-runtime/adapters/telegram';
import type { MenuEntry } from '@agent-runtime/engine';

/** Answered to the asker alone where the platform can: they speak of nobody else, and a pairing code is worth an account. */
const PRIVATE: ReadonlySet<string> = new Set(['whoami', 'status', 'help', 'start', 'pair']);

/** Commands as Discord shows them: one field per argument. */
export function discordMenu(entries: readonly MenuEntry[]): readonly DiscordCommand[] {
  return entries.map((entry) => ({
    name: entry.name,
    help: entry.help,
    options: entry.args.map((arg) => ({
      name: arg.name,
      help: arg.kind === 'id' ? 'as it was shown, or its first characters' : arg.name,
      isRequired: arg.isRequired,
      choices: arg.choices,
      suggests: arg.suggest,
    })),
    isPrivate: PRIVATE.has(entry.name),
    where: entry.isDirect ? 'direct' : undefined,
  }));
}

/** Commands as Telegram shows them: people type the arguments. What only staff may do is shown to administrators of groups. */
export function telegramMenu(entries: readonly MenuEntry[]): readonly TelegramCommand[] {
  return entries.map((entry) => ({ name: entry.name, help: entry.help, in: placesOf(entry) }));
}

function placesOf(entry: MenuEntry): readonly TelegramCommandScope[] | undefined {
  if (entry.isDirect) return ['private'];
  return entry.least === 'operator' ? ['private', 'administrators'] : undefined;
}
