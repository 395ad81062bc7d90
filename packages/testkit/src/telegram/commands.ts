import type { Params } from './coerce.ts';
import { badRequest } from './refusal.ts';

/** One line of the menu of commands. */
export interface BotCommand {
  readonly command: string;
  readonly description: string;
}

const MAX_COMMANDS = 100;

/** Menus of commands, per scope and language. */
export class CommandBook {
  readonly #menus = new Map<string, readonly BotCommand[]>();

  /** Every menu that is set, by its scope and language as JSON. */
  get menus(): ReadonlyMap<string, readonly BotCommand[]> {
    return this.#menus;
  }

  set(params: Params): true {
    const commands = params.commands as readonly BotCommand[]; // safe: checked against the spec
    if (commands.length > MAX_COMMANDS) throw badRequest('BOT_COMMANDS_TOO_MUCH');
    for (const { command, description } of commands) {
      if (!/^[a-z0-9_]{1,32}$/.test(command)) throw badRequest('BOT_COMMAND_INVALID');
      const length = description.length;
      if (length < 1 || length > 256) throw badRequest('BOT_COMMAND_DESCRIPTION_INVALID');
    }
    this.#menus.set(menuKey(params), commands);
    return true;
  }

  get(params: Params): readonly BotCommand[] {
    return this.#menus.get(menuKey(params)) ?? [];
  }

  delete(params: Params): true {
    this.#menus.delete(menuKey(params));
    return true;
  }
}

function menuKey({ scope, language_code }: Params): string {
  const place = (scope ?? { type: 'default' }) as Readonly<Record<string, unknown>>; // safe: checked against the spec
  const members = Object.entries(place).sort(([one], [other]) => (one < other ? -1 : 1));
  return JSON.stringify([Object.fromEntries(members), language_code ?? '']);
}
