const BARS = '▁▂▃▄▅▆▇█';

/** Counts as a row of bars, scaled to the highest; nothing at all is a flat line. */
export function sparkline(counts: readonly number[], width: number): string {
  const shown = counts.slice(-Math.max(1, width));
  const highest = Math.max(1, ...shown);
  return shown
    .map(
      (count) => BARS[count === 0 ? 0 : Math.max(1, Math.ceil((count / highest) * (BARS.length - 1)))] ?? '',
    )
    .join('');
}
