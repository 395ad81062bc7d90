import type { RuleFile, Site } from './site.ts';

/**
 * The file with all its mutants inside, each behind the number that switches it on; 0 leaves everything as it was. A worker thus
 * loads a file once and judges hundreds of mutants. Each site also marks that it was reached. Lines stay where they were.
 */
export function weave(file: RuleFile, siteBase: number): string {
  const { text } = file.source;
  const sites = file.sites
    .map((site, index) => ({ site, index }))
    .sort((a, b) => a.site.start - b.site.start || b.site.end - a.site.end || depth(a.site) - depth(b.site));
  let at = 0;

  function between(start: number, end: number): string {
    let out = '';
    let from = start;
    for (;;) {
      const next = sites[at];
      if (next === undefined || next.site.start >= end) break;
      at += 1;
      const { start: begin, end: stop } = next.site;
      out += text.slice(from, begin);
      out += switched(next.site, next.index, between(begin, stop));
      from = stop;
    }
    return out + text.slice(from, end);
  }

  function switched(site: Site, index: number, original: string): string {
    const numbers = (file.mutants[index] ?? []).map(({ number }) => number);
    const mark = `__m.h[${siteBase + index}]=1`;
    const first = numbers[0] ?? 0;
    if (site.how === 'drop-statement') return `if((${mark},__m.a!==${first})){${original}}`;
    if (site.how === 'drop-element') {
      const element = original.startsWith('...') ? original.slice(3) : `[${original}]`;
      return `...((${mark},__m.a===${first})?[]:${element})`;
    }
    const cases = site.changes.map(({ text: other }, i) => `__m.a===${numbers[i]}?(${flatLine(other)}):`);
    return `((${mark},${cases.join('')}(${original})))`;
  }

  const body = between(0, text.length);
  return `var __m=globalThis.__mutants??={a:0,h:[]};${body}`;
}

/** An element that may go stands around what may be changed in it. */
function depth(site: Site): number {
  return site.how === 'swap' ? 1 : 0;
}

function flatLine(text: string): string {
  return text.replace(/\s*\/\/[^\n]*\n/g, ' ').replace(/\n\s*/g, ' ');
}
