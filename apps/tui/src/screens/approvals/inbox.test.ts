import { describe, expect, test } from 'vitest';
import { approvalFixture } from '../../app/fake-data.fixture.ts';
import { byRiskThenAge, demandOneClass } from './inbox.ts';

describe('the order of the inbox', () => {
  test('the riskiest first, then the one that waits longest', () => {
    const rows = [
      approvalFixture(1, { tier: 'low' }),
      approvalFixture(2, { tier: 'high' }),
      approvalFixture(3, { tier: 'medium' }),
      approvalFixture(4, { tier: 'high' }),
    ];
    expect(byRiskThenAge(rows).map((row) => row.id)).toEqual([
      'appr_0004',
      'appr_0002',
      'appr_0003',
      'appr_0001',
    ]);
  });
});

describe('questions of one class', () => {
  test('may be answered together', () => {
    demandOneClass([approvalFixture(1), approvalFixture(2)]);
    demandOneClass([]);
  });

  test.each([
    ['tier high', [approvalFixture(1, { tier: 'high' })], 'answered alone'],
    ['two tiers', [approvalFixture(1), approvalFixture(2, { tier: 'low' })], 'Only questions of one class'],
    [
      'two kinds',
      [approvalFixture(1), approvalFixture(2, { kind: 'mail.send' })],
      'Only questions of one class',
    ],
  ] as const)('%s may not', (_name, rows, words) => {
    expect(() => demandOneClass(rows)).toThrow(words);
  });
});
