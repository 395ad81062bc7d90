import { expect, test } from 'vitest';
import { isRequestFor, mustBeSigned } from './signed-acts.ts';

test('an act of the admin plane is ordered by its own request and no other', () => {
  expect(mustBeSigned('identity.revoke')).toBe(true);
  expect(isRequestFor('identity.revoke', { method: 'DELETE', path: '/admin/v1/grant/grnt_1' })).toBe(true);
  for (const asked of [
    { method: 'POST', path: '/admin/v1/grant/grnt_1' },
    { method: 'DELETE', path: '/admin/v1/grant' },
    { method: 'DELETE', path: '/admin/v1/grant/grnt_1/x' },
    { method: 'DELETE', path: '/grant/grnt_1' },
    { method: 'DELETE', path: '/admin/v1/token/grnt_1' },
  ])
    expect(isRequestFor('identity.revoke', asked), JSON.stringify(asked)).toBe(false);
});

test('a hub is made, moved, ended and refused by signed requests alone; a wish of chat is no such act', () => {
  const approve = { method: 'POST', path: '/admin/v1/hub/ahub_1/approve' };
  const end = { method: 'DELETE', path: '/admin/v1/hub/ahub_1' };
  for (const [action, own, other] of [
    ['hub.approve', approve, end],
    ['hub.remove', end, approve],
    ['hub.deny', end, approve],
  ] as const) {
    expect(mustBeSigned(action), action).toBe(true);
    expect(isRequestFor(action, own), action).toBe(true);
    expect(isRequestFor(action, other), action).toBe(false);
  }
  expect(mustBeSigned('hub.request')).toBe(false);
});

test('what may also come about otherwise says nothing of its request', () => {
  for (const action of ['run.abort', 'task.create', 'constructor', '__proto__']) {
    expect(mustBeSigned(action)).toBe(false);
    expect(isRequestFor(action, { method: 'GET', path: '/' })).toBe(true);
  }
});
