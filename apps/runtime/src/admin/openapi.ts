import {
  ADMIN_PREFIX,
  ADMIN_ROUTES,
  type AdminRoute,
  errorEnvelopeSchema,
  pathNames,
} from '@agent-runtime/domain';
import { OpenAPIHono, z } from '@hono/zod-openapi';

const json = (schema: z.ZodType) => ({ 'application/json': { schema } });

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
        ...(route.method === 'GET' ? { query: rest } : { body: { content: json(rest) } }),
      },
      responses: {
        200: { description: 'Done.', content: json(route.reply) },
        default: {
          description: 'Refused; the status follows from the kind.',
          content: json(errorEnvelopeSchema),
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
