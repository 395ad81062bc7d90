import { describe, expect, it } from 'vitest';
import {
  ADMIN_PREFIX,
  ADMIN_ROUTES,
  type AdminRoute,
  type AdminRouteName,
  pathNames,
  readInput,
  writeInput,
} from './index.ts';

const routes = Object.entries(ADMIN_ROUTES) as [AdminRouteName, AdminRoute][]; // safe: the table's own entries

describe('the table of admin routes', () => {
  it('has one name per address', () => {
    const addresses = routes.map(([, route]) => `${route.method} ${route.path.replace(/:[a-z_]+/g, ':x')}`);
    expect(new Set(addresses).size).toBe(addresses.length);
  });

  it('lets exactly these be asked without a signature', () => {
    const unsigned = routes.filter(([, route]) => route.unsigned === true).map(([name]) => name);
    expect(unsigned.sort()).toEqual(
      [
        'gate.status',
        'hello.read',
        'invite.create',
        'key.enrol',
        'panic.on',
        'panic.status',
        'status.read',
      ].sort(),
    );
  });

  it.each(routes)('%s takes what its path names, and nothing unknown', (_name, route) => {
    for (const name of pathNames(route)) expect(Object.keys(route.input.shape)).toContain(name);
    expect(route.input.safeParse({ never_heard_of: 1 }).success).toBe(false);
  });
});

describe('an input on the wire', () => {
  const send = (route: AdminRoute, input: Record<string, unknown>): unknown => {
    const wire = writeInput(route, input);
    const path = wire.path.slice(ADMIN_PREFIX.length).split('/');
    const names = route.path.split('/');
    const params = Object.fromEntries(
      names.flatMap((name, i) =>
        name.startsWith(':') ? [[name.slice(1), decodeURIComponent(path[i] ?? '')]] : [],
      ),
    );
    const query = Object.fromEntries(new URLSearchParams(wire.query));
    const body: unknown = wire.body === '' ? undefined : JSON.parse(wire.body);
    return route.input.parse(readInput({ path: params, query, body }));
  };

  it('comes back from path, query and body', () => {
    expect(send(ADMIN_ROUTES['task.list'], { workspace: 'a', limit: 7 })).toEqual({
      workspace: 'a',
      limit: 7,
    });
    expect(send(ADMIN_ROUTES['task.show'], { id: 'task_12/34 ü' })).toEqual({ id: 'task_12/34 ü' });
    const steer = { id: 'task_1234', text: 'shorter, "please" & now' };
    expect(send(ADMIN_ROUTES['task.steer'], steer)).toEqual(steer);
    expect(send(ADMIN_ROUTES['search.query'], { q: 'a&b=c', in: undefined })).toEqual({
      q: 'a&b=c',
      limit: 50,
    });
    expect(send(ADMIN_ROUTES['context.set'], { id: 'general', guests: null, tools: ['md_read'] })).toEqual({
      id: 'general',
      guests: null,
      tools: ['md_read'],
    });
  });

  it('takes the name in the path over one in the body', () => {
    expect(
      readInput({ path: { id: 'task_real' }, query: {}, body: { id: 'task_other', text: 'x' } }),
    ).toEqual({
      id: 'task_real',
      text: 'x',
    });
  });

  it('takes no array for a body', () => {
    expect(readInput({ path: {}, query: {}, body: ['x'] })).toEqual({});
  });
});
