import { expect, test } from 'vitest';
import { toolConformance } from '../conformance.ts';
import { postMessage } from './spec.ts';

toolConformance(postMessage, [
  { channel: 'general', text: 'Hello' },
  { channel: 'c', text: 't', connector: 'memory' },
]);

test('is external whatever it says, and an absent connector is the one of the origin', () => {
  expect(postMessage.class).toBe('E1');
  expect(postMessage.target({ channel: 'news', text: 'a' })).toEqual({
    kind: 'message',
    connector: '',
    channel: 'news',
  });
  expect(postMessage.target({ channel: 'news', text: 'a', connector: 'memory' })).toMatchObject({
    connector: 'memory',
  });
});

test('an empty message is refused', () => {
  expect(postMessage.input.safeParse({ channel: 'news', text: '  ' }).success).toBe(false);
});
