import {
  ADMIN_PREFIX,
  ADMIN_ROUTES,
  type AdminRoute,
  type AdminRouteName,
  AppError,
  parseWire,
  pathNames,
  readInput,
} from '@agent-runtime/domain';
import { type Actor, ADMIN, type AdminDeps } from '@agent-runtime/engine';
import type { NonceCache } from '@agent-runtime/pki';
import type { Context, Hono } from 'hono';
import type { AdminAppInput } from './deps.ts';
import { answerTagged, requireSignedMatch } from './entity-tag.ts';
import { authenticate } from './signed.ts';

/** Any handler of the table, before its own route has parsed the input. */
type Handler = (deps: AdminDeps, actor: Actor, input: unknown) => Promise<unknown>;

/** Serves every route of the contract: who, input, handler, answer. */
export function addRoutes(app: Hono, input: AdminAppInput, deps: AdminDeps, nonces: NonceCache): void {
  // Fixed paths before those with a name in them, so that `/grant/who` is not a grant called "who".
  for (const [name, route] of byPrecision()) {
    const handler = ADMIN[name] as Handler; // safe: each handler gets exactly what its own route parsed
    app.on(route.method, ADMIN_PREFIX + route.path, async (c) => {
      const { actor, body } = await authenticate(input, nonces, c, route);
      const parsed = parseWire(route.input, inputOf(c, route, body), 'request');
      requireSignedMatch(c, parsed);
      const answer = await handler(deps, actor, parsed);
      // The schema of the answer is the last look: a member that is not in it does not leave.
      return answerTagged(c, route, parseAnswer(route, answer));
    });
  }
}

function byPrecision(): readonly (readonly [AdminRouteName, AdminRoute])[] {
  const entries = Object.entries(ADMIN_ROUTES) as [AdminRouteName, AdminRoute][]; // safe: the table's own entries
  return entries.sort(([, a], [, b]) => pathNames(a).length - pathNames(b).length);
}

function inputOf(c: Context, route: AdminRoute, bytes: Uint8Array): Record<string, unknown> {
  const path = Object.fromEntries(pathNames(route).map((name) => [name, c.req.param(name) ?? '']));
  if (route.method === 'GET') return readInput({ path, query: c.req.query(), body: undefined });
  return readInput({ path, query: {}, body: bytes.length === 0 ? {} : parseJson(bytes) });
}

function parseJson(bytes: Uint8Array): unknown {
  try {
    return JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes));
  } catch (cause) {
    throw new AppError({
      code: 'admin.body.invalid',
      kind: 'invalid',
      message: 'The body is not JSON in UTF-8.',
      cause,
    });
  }
}

function parseAnswer(route: AdminRoute, answer: unknown): object {
  const parsed = route.reply.safeParse(JSON.parse(JSON.stringify(answer)));
  if (parsed.success && typeof parsed.data === 'object' && parsed.data !== null) return parsed.data;
  throw new AppError({
    code: 'admin.answer.bug',
    kind: 'bug',
    message: 'The answer had a form that nobody expects. The log has the details.',
    detail: parsed.error?.issues.slice(0, 5),
  });
}
