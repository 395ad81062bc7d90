import type { CommandBook } from '../world/commands.ts';
import type { InteractionBook } from '../world/interactions.ts';
import type { World } from '../world/world.ts';
import type { Answer, DiscordCall } from './call.ts';

/** What handlers work with. */
export interface RestContext {
  readonly world: World;
  readonly commands: CommandBook;
  readonly interactions: InteractionBook;
  /** Address and start limit, for /gateway and /gateway/bot. */
  readonly gateway: () => { readonly url: string; readonly sessionStartLimit: object };
  readonly maxFileBytes: number;
}

export type Handler = (call: DiscordCall, context: RestContext) => Answer;

/** Handlers by method and path template. */
export type Routes = Readonly<Record<string, Handler>>;

export interface RouteMatch {
  readonly template: string;
  readonly params: Readonly<Record<string, string>>;
  readonly handler: Handler;
}

interface Pattern {
  readonly template: string;
  readonly parts: readonly string[];
  readonly handler: Handler;
}

/** @param routes keys as `GET /channels/{channel_id}`; a literal goes before a parameter */
export function router(routes: Routes): (method: string, path: string) => RouteMatch | undefined {
  const shelves = new Map<string, Pattern[]>();
  for (const [key, handler] of Object.entries(routes)) {
    const [method = '', template = ''] = key.split(' ');
    const parts = template.split('/');
    const shelf = shelves.get(`${method} ${parts.length}`) ?? [];
    shelf.push({ template, parts, handler });
    shelf.sort((left, right) => holes(left) - holes(right));
    shelves.set(`${method} ${parts.length}`, shelf);
  }
  return (method, path) => {
    // discord.js writes `%40original`.
    const parts = path.split('/').map(decoded);
    for (const pattern of shelves.get(`${method} ${parts.length}`) ?? []) {
      const params = bind(pattern.parts, parts);
      if (params !== undefined) return { template: pattern.template, params, handler: pattern.handler };
    }
    return undefined;
  };
}

function holes({ parts }: Pattern): number {
  return parts.filter((part) => part.startsWith('{')).length;
}

function bind(pattern: readonly string[], parts: readonly string[]): Record<string, string> | undefined {
  const params: Record<string, string> = {};
  for (const [index, expected] of pattern.entries()) {
    const part = parts[index] ?? '';
    if (expected.startsWith('{')) {
      // Ids are digits; `@me` and `@original` are literals of other routes.
      if (expected.endsWith('_id}') && !/^\d+$/.test(part)) return undefined;
      params[expected.slice(1, -1)] = part;
    } else if (part !== expected) return undefined;
  }
  return params;
}

/** A part that is badly escaped fits no route. */
function decoded(part: string): string {
  try {
    return decodeURIComponent(part);
  } catch {
    return '\0';
  }
}
