import { expect, it } from 'vitest';
import { publicLabel } from '../label/index.ts';
import { approvalOf, permit } from './decision.ts';

it('a permit with another duty has no approval in it', () => {
  const decision = permit('policy.note', 'Notes may be written.', {
    kind: 'store-label',
    label: publicLabel(1),
  });
  expect(approvalOf(decision)).toBeUndefined();
});
