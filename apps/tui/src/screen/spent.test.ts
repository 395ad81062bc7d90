import { expect, test } from 'vitest';
import { moneyText, spentText, tokensText } from './spent.ts';

test('money is never rounded to nothing', () => {
  expect([0, 1, 9_999, 10_000, 840_000, 1_234_500_000].map(moneyText)).toEqual([
    '$0.00',
    '< $0.01',
    '< $0.01',
    '$0.01',
    '$0.84',
    '$1,234.50',
  ]);
});

test('many tokens are millions', () => {
  expect([0, 1, 999_999, 1_000_000, 1_249_000].map(tokensText)).toEqual([
    '0 tokens',
    '1 token',
    '999,999 tokens',
    '1.0 M tokens',
    '1.2 M tokens',
  ]);
});

test('what was spent is tokens, and money as far as there are prices', () => {
  const priced = { model: 'big', tokens: 1_200_000, cost_usd_micros: 840_000 };
  const unpriced = { model: 'old', tokens: 500 };
  const said = (cost: number | undefined, ...models: (typeof priced | typeof unpriced)[]) =>
    spentText({
      tokens_today: models.reduce((sum, one) => sum + one.tokens, 0),
      cost_today_usd_micros: cost,
      spent_today: models,
    });
  expect(said(undefined, unpriced)).toBe('500 tokens');
  expect(said(0)).toBe('0 tokens, $0.00');
  expect(said(840_000, priced)).toBe('1.2 M tokens, $0.84');
  expect(said(3, { ...priced, tokens: 9, cost_usd_micros: 3 })).toBe('9 tokens, < $0.01');
  expect(said(840_000, priced, unpriced)).toBe('1.2 M tokens, $0.84 (without models that have no price)');
  // A price exists, but not for what was used.
  expect(said(0, unpriced)).toBe('500 tokens');
});
