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

test('what may also come about otherwise says nothing of its request', () => {
  for (const action of ['run.abort', 'task.create', 'constructor', '__proto__']) {
    expect(mustBeSigned(action)).toBe(false);
    expect(isRequestFor(action, { method: 'GET', path: '/' })).toBe(true);
  }
});
