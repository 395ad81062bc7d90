import {
  ADMIN_PREFIX,
  AppError,
  ERROR_KINDS,
  errorEnvelope,
  toAppError,
  toPublicError,
} from '@agent-runtime/domain';
import type { AdminDeps } from '@agent-runtime/engine';
import { BOOT_HEADER, NonceCache } from '@agent-runtime/pki';
import { type Context, Hono } from 'hono';
import type { AdminAppInput } from './deps.ts';
import { makeKeyCheck } from './key-check.ts';
import { openApiDocument } from './openapi.ts';
import { addRoutes } from './routes.ts';
import { authenticate } from './signed.ts';
import { addStreams } from './stream.ts';

/**
 * The admin API for one transport. Every answer carries the boot id, so that a client that was refused after a restart can sign again.
 * @returns an app to be served on the unix socket (see `serveAdminSocket`) or a TLS listener
 */
export function makeAdminApp(input: AdminAppInput): Hono {
  const { parts } = input;
  const deps: AdminDeps = { ...parts, keys: makeKeyCheck() };
  // One per boot id and transport: signatures name the transport's authority, so none is good on two.
  const nonces = new NonceCache();
  const app = new Hono();
  app.use(async (c, next) => {
    await next();
    c.header(BOOT_HEADER, parts.about.bootId);
    c.header('cache-control', 'no-store');
  });
  addRoutes(app, input, deps, nonces);
  addStreams(app, input, deps, nonces);
  let document: object | undefined;
  app.get(`${ADMIN_PREFIX}/openapi.json`, async (c) => {
    await authenticate(input, nonces, c, {});
    document ??= openApiDocument(parts.about.version);
    return c.json(document);
  });
  app.notFound((c) => refuse(c, input, noRoute(c)));
  app.onError((thrown, c) => refuse(c, input, thrown));
  return app;
}

/** An error as its envelope, with the kind's status. What is not for everyone goes to the log only. */
function refuse(c: Context, { parts }: AdminAppInput, thrown: unknown): Response {
  const reference = parts.ids.make('event');
  const error = toAppError(thrown, reference);
  const fields = { room: 'admin', code: error.code, reference, path: c.req.path, detail: error.detail };
  if (error.kind === 'bug') parts.log.error({ ...fields, cause: error.cause }, error.message);
  else parts.log.info(fields, error.message);
  const headers = new Headers({ 'content-type': 'application/json', [BOOT_HEADER]: parts.about.bootId });
  if (error.retryAfterMs !== undefined)
    headers.set('retry-after', String(Math.ceil(error.retryAfterMs / 1000)));
  return new Response(JSON.stringify(errorEnvelope(toPublicError(error))), {
    status: ERROR_KINDS[error.kind].http,
    headers,
  });
}

function noRoute(c: Context): AppError {
  return new AppError({
    code: 'admin.route.missing',
    kind: 'missing',
    message: `There is no ${c.req.method} ${c.req.path.slice(0, 100)} here. ${ADMIN_PREFIX}/openapi.json lists what there is.`,
  });
}
