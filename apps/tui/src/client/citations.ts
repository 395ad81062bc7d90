import type { AskResult } from '@agent-runtime/domain';

/** Citations that do not stand in the answer already as `path:line`. */
export function unnamedCitations({
  output = '',
  citations = [],
}: Pick<AskResult, 'output' | 'citations'>): NonNullable<AskResult['citations']> {
  return citations.filter(({ path, line }) => {
    const place = `${path}:${line}`;
    for (let at = output.indexOf(place); at >= 0; at = output.indexOf(place, at + 1)) {
      const isWhole = !/[\w/.-]/.test(output[at - 1] ?? '') && !/\d/.test(output[at + place.length] ?? '');
      if (isWhole) return false;
    }
    return true;
  });
}
