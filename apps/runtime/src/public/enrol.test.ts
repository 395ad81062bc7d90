import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { ANONYMOUS_PER_MINUTE } from './app.ts';
import { type PublicWorld, publicWorld } from './public.fixture.ts';

let world: PublicWorld;
beforeEach(async () => {
  world = await publicWorld();
});
afterEach(async () => world.close());

const send = (init: RequestInit = {}) =>
  world.request('/enrol', { method: 'POST', body: '{"invite_id":"x"}', ...init });

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

  test('is limited for everybody together', async () => {
    world.setInviting(true);
    const statuses: number[] = [];
    for (let n = 0; n <= ANONYMOUS_PER_MINUTE; n += 1) statuses.push((await send()).status);
    expect(statuses.filter((status) => status === 200)).toHaveLength(ANONYMOUS_PER_MINUTE);
    expect(statuses.at(-1)).toBe(429);
  });
});
