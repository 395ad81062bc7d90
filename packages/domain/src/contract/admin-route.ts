import { z } from 'zod';

/** Where the admin API lives on every listener. */
export const ADMIN_PREFIX = '/admin/v1';

/**
 * One request of the admin API. `input` is everything it takes: members named in `path` (as `:name`) travel there, the rest in the
 * query (GET) or the JSON body.
 */
export interface AdminRoute {
  readonly method: 'GET' | 'POST' | 'PUT' | 'DELETE';
  /** Below `ADMIN_PREFIX`, e.g. `/task/:id`. */
  readonly path: string;
  readonly summary: string;
  readonly input: z.ZodObject;
  readonly reply: z.ZodType;
  /** The local socket may ask it without a signature. */
  readonly unsigned?: true;
  /** Nothing can be signed before it: on the network a good client certificate is enough. */
  readonly isGreeting?: true;
}

/** A request ready to be sent or signed. */
export interface WireRequest {
  readonly method: AdminRoute['method'];
  readonly path: string;
  /** With its `?`, or empty. */
  readonly query: string;
  /** JSON text, or empty. */
  readonly body: string;
}

/** Names of the members that travel in the path. */
export function pathNames(route: Pick<AdminRoute, 'path'>): readonly string[] {
  return [...route.path.matchAll(/:([a-z_]+)/g)].map((match) => match[1] ?? '');
}

/** True when its answer names a version of the thing, which travels as `ETag` too. */
export function hasEtag(route: Pick<AdminRoute, 'reply'>): boolean {
  return route.reply instanceof z.ZodObject && 'etag' in route.reply.shape;
}

/** Puts an input on the wire; the inverse of `readInput`. Undefined members are left out. */
export function writeInput(
  route: Pick<AdminRoute, 'path' | 'method'>,
  input: Readonly<Record<string, unknown>>,
): WireRequest {
  const inPath = pathNames(route);
  const path = route.path.replace(/:([a-z_]+)/g, (_all, name: string) =>
    encodeURIComponent(String(input[name])),
  );
  const rest = Object.entries(input).filter(([name, value]) => value !== undefined && !inPath.includes(name));
  if (route.method !== 'GET') {
    const body = rest.length === 0 ? '' : JSON.stringify(Object.fromEntries(rest));
    return { method: route.method, path: ADMIN_PREFIX + path, query: '', body };
  }
  const query = new URLSearchParams(
    rest.map(([name, value]): [string, string] => [name, String(value)]),
  ).toString();
  return {
    method: route.method,
    path: ADMIN_PREFIX + path,
    query: query === '' ? '' : `?${query}`,
    body: '',
  };
}

/** Collects what a request brought. The path wins, so that a body cannot name another thing than the address did. */
export function readInput(parts: {
  readonly path: Readonly<Record<string, string>>;
  readonly query: Readonly<Record<string, string>>;
  readonly body: unknown;
}): Record<string, unknown> {
  const body =
    typeof parts.body === 'object' && parts.body !== null && !Array.isArray(parts.body) ? parts.body : {};
  return { ...parts.query, ...body, ...parts.path };
}
