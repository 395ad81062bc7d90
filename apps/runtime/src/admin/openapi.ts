import {
  ADMIN_PREFIX,
  ADMIN_ROUTES,
  type AdminRoute,
  errorEnvelopeSchema,
  hasEtag,
  pathNames,
} from '@agent-runtime/domain';
import { OpenAPIHono, z } from '@hono/zod-openapi';

/** A schema as OpenAPI 3.1 takes it. Free JSON is recursive and becomes `{}`: anything. */
function json(schema: z.ZodType, io: 'input' | 'output') {
  const {
    $schema: _dialect,
    $defs: _defs,
    ...plain
  } = z.toJSONSchema(schema, { io, unrepresentable: 'any' });
  const text = JSON.stringify(plain, (_key, value: unknown) =>
    typeof value === 'object' && value !== null && '$ref' in value ? {} : value,
  );
  return { 'application/json': { schema: JSON.parse(text) as Record<string, unknown> } }; // safe: made from an object above
}

const ETAG = z.object({ ETag: z.string().describe('The `etag` of the answer, in quotes.') });

/** The conditional headers that a route understands; see entity-tag.ts. */
function conditionsOf(route: AdminRoute): { readonly headers?: z.ZodObject } {
  if ('if_match' in route.input.shape) {
    const words = 'Not signed: may only repeat, in quotes, the `if_match` of the body.';
    return { headers: z.object({ 'If-Match': z.string().optional().describe(words) }) };
  }
  if (!hasEtag(route) || route.method !== 'GET') return {};
  const words = 'Answers 304 when the `ETag` is among these.';
  return { headers: z.object({ 'If-None-Match': z.string().optional().describe(words) }) };
}

/** The OpenAPI document of the admin API, made from the same table that is served. */
export function openApiDocument(version: string): object {
  const api = new OpenAPIHono();
  for (const [name, route] of Object.entries<AdminRoute>(ADMIN_ROUTES)) {
    const inPath = pathNames(route);
    const shape = Object.entries(route.input.shape);
    const params = z.object(Object.fromEntries(shape.filter(([member]) => inPath.includes(member))));
    const rest = z.object(Object.fromEntries(shape.filter(([member]) => !inPath.includes(member))));
    api.openAPIRegistry.registerPath({
      method: methodOf(route),
      path: ADMIN_PREFIX + route.path.replace(/:([a-z_]+)/g, '{$1}'),
      operationId: name,
      summary: route.summary,
      description:
        route.unsigned === true ? 'May be asked unsigned on the local socket.' : 'Signed (RFC 9421).',
      request: {
        ...(inPath.length === 0 ? {} : { params }),
        ...(route.method === 'GET' ? { query: rest } : { body: { content: json(rest, 'input') } }),
        ...conditionsOf(route),
      },
      responses: {
        200: {
          description: 'Done.',
          content: json(route.reply, 'output'),
          ...(hasEtag(route) ? { headers: ETAG } : {}),
        },
        ...(hasEtag(route) && route.method === 'GET' ? { 304: { description: 'Still that one.' } } : {}),
        default: {
          description: 'Refused; the status follows from the kind.',
          content: json(errorEnvelopeSchema, 'output'),
        },
      },
    });
  }
  return api.getOpenAPI31Document({
    openapi: '3.1.0',
    info: { title: 'agent-runtime admin API', version },
  });
}

function methodOf(route: AdminRoute): 'get' | 'post' | 'put' | 'delete' {
  switch (route.method) {
    case 'GET':
      return 'get';
    case 'POST':
      return 'post';
    case 'PUT':
      return 'put';
    case 'DELETE':
      return 'delete';
    default:
      return route.method satisfies never;
  }
}
