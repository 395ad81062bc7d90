import { type LlmTool, type ToolSpec, toolSchema } from '@agent-runtime/domain';

/** Which routes rest after failures; in memory, for a restart is a good moment to try again. */
export interface RouteHealth {
  readonly cooldowns: Map<string, number>;
  readonly failures: Map<string, number>;
}

/** What all runs of a process share, because making it anew for each call is slow. Holds nothing that a restart would miss. */
export interface RunMeans {
  readonly health: RouteHealth;
  /** A tool as a model sees it. */
  readonly offer: (tool: ToolSpec) => LlmTool;
  /** `2026-11-21 14:03` in a time zone; an unknown one falls back to UTC. */
  readonly timeFormat: (timeZone: string) => (atMs: number) => string;
}

export function runMeans(): RunMeans {
  return {
    health: { cooldowns: new Map(), failures: new Map() },
    offer: remembered((tool: ToolSpec) => ({
      name: tool.name,
      description: tool.description,
      schema: toolSchema(tool),
    })),
    timeFormat: remembered((timeZone: string) => {
      const format = formatOf(timeZone);
      return (atMs: number) => format.format(atMs);
    }),
  };
}

/** Values asked for are few: tools, and time zones of workspaces. */
function remembered<K, V>(make: (key: K) => V): (key: K) => V {
  const made = new Map<K, V>();
  return (key) => {
    const known = made.get(key);
    if (known !== undefined) return known;
    const fresh = make(key);
    made.set(key, fresh);
    return fresh;
  };
}

const formats = (timeZone: string): Intl.DateTimeFormat =>
  new Intl.DateTimeFormat('sv-SE', { timeZone, dateStyle: 'short', timeStyle: 'short' });

function formatOf(timeZone: string): Intl.DateTimeFormat {
  try {
    return formats(timeZone);
  } catch {
    return formats('UTC');
  }
}
