import { expect, test } from 'vitest';
import { toolConformance } from '../conformance.ts';
import { mdGrep } from './spec.ts';

toolConformance(mdGrep, [{ pattern: 'a.*b' }, { pattern: 'frost', folder: 'notes' }]);

test('takes the signs of a regular expression as plain text', () => {
  expect(mdGrep.input.safeParse({ pattern: '(a+)+$' }).success).toBe(true);
  expect(mdGrep.description).toContain('no regex');
});
