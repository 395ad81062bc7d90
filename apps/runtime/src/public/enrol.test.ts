import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { ANONYMOUS_PER_MINUTE } from './app.ts';
import { type PublicWorld, publicWorld } from './public.fixture.ts';

let world: PublicWorld;
beforeEach(async () => {
  world = await publicWorld();
});
afterEach(async () => world.close());

const send = (init: { readonly body?: string } = {}) => {
  const body = init.body ?? '{"invite_id":"x"}';
  const headers = { 'content-length': String(Buffer.byteLength(body)) };
  return world.request('/enrol', { method: 'POST', headers, body });
};

describe('/enrol', () => {
  test('is not there while nobody is invited', async () => {
    const answer = await send();
    expect(answer.status).toBe(404);
    expect(world.enrolled).toEqual([]);
    const nothing = await world.request('/nothing', { method: 'POST', body: '{}' });
    // Nobody learns from the answer that there could be something.
    expect(await answer.json()).toEqual(await nothing.json());
  });

  test('hands the body over while an invite is open', async () => {
    world.setInviting(true);
    expect((await send()).status).toBe(200);
    expect(world.enrolled).toEqual([{ invite_id: 'x' }]);
    expect((await send({ body: 'no json' })).status).toBe(400);
    expect((await world.request('/enrol')).status).toBe(404);
  });

  test('counts refusals of everybody together, and no good enrolment', async () => {
    world.setInviting(true);
    for (let n = 0; n < 3; n += 1) expect((await send()).status).toBe(200);
    const statuses: number[] = [];
    for (let n = 0; n <= ANONYMOUS_PER_MINUTE; n += 1)
      statuses.push((await send({ body: 'no json' })).status);
    expect(statuses.filter((status) => status === 400)).toHaveLength(ANONYMOUS_PER_MINUTE);
    expect(statuses.at(-1)).toBe(429);
    expect((await send()).status).toBe(200);
  });

  test('takes no more than such a request needs', async () => {
    world.setInviting(true);
    expect((await send({ body: `"${'x'.repeat(17_000)}"` })).status).toBe(413);
    // One that does not say how long it is could be any length.
    const unsaid = await world.request('/enrol', { method: 'POST', body: '{}' });
    expect(unsaid.status).toBe(413);
    for (const length of ['many', '', '-1', '1e3', '0x10', '2, 2', '1.5']) {
      const headers = { 'content-length': length };
      const strange = await world.request('/enrol', { method: 'POST', headers, body: '{}' });
      expect([length, strange.status]).toEqual([length, 413]);
    }
    expect(world.enrolled).toEqual([]);
  });
});
