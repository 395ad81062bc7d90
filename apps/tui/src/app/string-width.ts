import { stripVTControlCharacters } from 'node:util';
import { cells } from './width.ts';

interface Options {
  readonly countAnsiEscapeCodes?: boolean;
}

/**
 * Stands in for the library of this name, by which Ink measures: `cells` thinks the same (width.test.ts) and does not compile the
 * expression of all emoji, some 40 of 310 ms to the first frame.
 */
// biome-ignore lint/style/noDefaultExport: the library that it stands in for has one
export default function stringWidth(text: string, { countAnsiEscapeCodes = false }: Options = {}): number {
  return cells(countAnsiEscapeCodes ? text : stripVTControlCharacters(text));
}
