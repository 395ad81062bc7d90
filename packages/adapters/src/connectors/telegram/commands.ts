import { type ConnectorMemory, cutText, digestOf } from '@agent-runtime/domain';
import type { TelegramClient } from './client.ts';
import type { TelegramCommand, TelegramCommandScope } from './options.ts';

const MOST_COMMANDS = 100;
const MAX_HELP_CHARS = 256;

const SCOPES = {
  private: 'all_private_chats',
  groups: 'all_group_chats',
  administrators: 'all_chat_administrators',
} as const satisfies Record<TelegramCommandScope, string>;

export interface CommandParts {
  readonly client: TelegramClient;
  readonly memory: ConnectorMemory;
  readonly signal: AbortSignal;
}

/** Writes the menus that differ from what we wrote last; names that Telegram would refuse are left out. */
export async function writeCommands(
  parts: CommandParts,
  commands: readonly TelegramCommand[],
): Promise<void> {
  for (const [scope, type] of Object.entries(SCOPES)) {
    const own = commands.filter((command) => command.in?.some((one) => one === scope) ?? true);
    await writeMenu(parts, type, own);
  }
}

async function writeMenu(
  { client, memory, signal }: CommandParts,
  type: (typeof SCOPES)[TelegramCommandScope],
  commands: readonly TelegramCommand[],
): Promise<void> {
  const menu = commands
    .filter(({ name, help }) => /^[a-z0-9_]{1,32}$/.test(name) && help.trim() !== '')
    .slice(0, MOST_COMMANDS)
    .map(({ name, help }) => ({ command: name, description: cutText(help.toWellFormed(), MAX_HELP_CHARS) }));
  const key = `commands:${type}`;
  const digest = digestOf(menu);
  const before = await memory.get(key);
  if (before === digest || (before === undefined && menu.length === 0)) return;
  await client.call({ scope: 'method setMyCommands', signal }, (api, abort) =>
    menu.length === 0
      ? api.raw.deleteMyCommands({ scope: { type } }, abort)
      : api.raw.setMyCommands({ commands: menu, scope: { type } }, abort),
  );
  await memory.set(key, digest);
}
