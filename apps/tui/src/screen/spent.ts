import type { Status } from '@agent-runtime/domain';

const CENT_MICROS = 10_000;
const MILLION = 1_000_000;
const DOLLARS = new Intl.NumberFormat('en-US', { style: 'currency', currency: 'USD' });
const NUMBER = new Intl.NumberFormat('en-US');
const MILLIONS = new Intl.NumberFormat('en-US', { minimumFractionDigits: 1, maximumFractionDigits: 1 });

/** Millionths of a US dollar as `$0.84`. What is less than a cent and not nothing is `< $0.01`, never `$0.00`. */
export function moneyText(usdMicros: number): string {
  return usdMicros > 0 && usdMicros < CENT_MICROS ? '< $0.01' : DOLLARS.format(usdMicros / MILLION);
}

/** `48,213 tokens`, `1.2 M tokens`. */
export function tokensText(tokens: number): string {
  if (tokens === 1) return '1 token';
  return tokens < MILLION
    ? `${NUMBER.format(tokens)} tokens`
    : `${MILLIONS.format(tokens / MILLION)} M tokens`;
}

/**
 * What was spent today: `1.2 M tokens, $0.84`, or tokens alone where none of them has a price. Where some have none, it says so: the
 * sum is then less than the bill.
 */
export function spentText(
  spent: Pick<Status, 'tokens_today' | 'cost_today_usd_micros' | 'spent_today'>,
): string {
  const tokens = tokensText(spent.tokens_today);
  const cost = spent.cost_today_usd_micros;
  if (cost === undefined) return tokens;
  const isWhole = spent.spent_today.every((one) => one.tokens === 0 || one.cost_usd_micros !== undefined);
  if (isWhole) return `${tokens}, ${moneyText(cost)}`;
  return cost === 0 ? tokens : `${tokens}, ${moneyText(cost)} (without models that have no price)`;
}
