/** A test that a claim names; no title: the whole file. */
export interface NamedTest {
  readonly file: string;
  readonly title: string | undefined;
}

export interface Claim {
  readonly line: number;
  readonly text: string;
  /** Files or folders of the guard, from the clone on. */
  readonly paths: readonly string[];
  /** What in them holds, from the backticks. */
  readonly names: readonly string[];
  readonly tests: readonly NamedTest[];
  /** Where the paths of this part begin. */
  readonly base: string;
}

export interface Page {
  readonly claims: readonly Claim[];
  /** What cannot be read, each with its line. */
  readonly faults: readonly string[];
}

export const PAGE = 'docs/security-claims.md';

/**
 * Reads the tables `| claim | guard | test |` of the page. Other tables are left alone.
 * @param text Markdown; each part (`##`) says ``Paths are below `…`.``
 * @throws never: what is malformed is among the faults
 */
export function parsePage(text: string): Page {
  const claims: Claim[] = [];
  const faults: string[] = [];
  let base: string | undefined;
  let isTable = false;
  for (const [at, line] of text.split('\n').entries()) {
    const fault = (what: string): number => faults.push(`${PAGE}:${at + 1} ${what}`);
    if (line.startsWith('## ')) base = undefined;
    const said = /^Paths are below `([^`]+)`\.$/.exec(line);
    if (said) base = said[1];
    if (!line.startsWith('|')) {
      isTable = false;
      continue;
    }
    if (/^\| *claim *\| *guard *\| *test *\|$/.test(line)) isTable = true;
    else if (isTable && !/^\|[\s|:-]+\|$/.test(line)) {
      const cells = cellsOf(line);
      if (base === undefined) fault('stands in a part that does not say "Paths are below `…`."');
      else if (cells.length !== 3) fault(`has ${cells.length} cells, not claim, guard and test`);
      else readRow(cells, at + 1, base, claims, fault);
    }
  }
  return { claims, faults };
}

function cellsOf(line: string): readonly string[] {
  return line
    .replace(/^\|/, '')
    .replace(/\|\s*$/, '')
    .split(/(?<!\\)\|/)
    .map((cell) => cell.trim());
}

function readRow(
  [text = '', guard = '', test = '']: readonly string[],
  line: number,
  base: string,
  claims: Claim[],
  fault: (what: string) => void,
): void {
  const names = [...guard.matchAll(/`([^`]+)`/g)].map(([, name = '']) => name);
  const words = guard.replace(/`[^`]+`/g, ' ').replace(/\([^)]*\)/g, ' ');
  const paths = words
    .split(/[\s,]+/)
    .filter((word) => word.includes('/') || /^[a-z][\w-]*(\.tsx?)?$/.test(word))
    .map((path) => fromClone(path, base));
  const { tests, wrong } = testsOf(test, base);
  if (text === '') fault('claims nothing');
  if (names.length === 0 && paths.length === 0) fault('has no guard: name a file, a folder or a `name`');
  if (wrong !== undefined) fault(wrong);
  else if (tests.length === 0) fault('has no test: write `file: title · title` or a file');
  else claims.push({ line, text, paths, names, tests, base });
}

function testsOf(cell: string, base: string): { tests: readonly NamedTest[]; wrong?: string } {
  const tests: NamedTest[] = [];
  let file: string | undefined;
  for (const part of cell.split(' · ').map((one) => one.trim())) {
    if (part === '') continue;
    const named = /^([\w./-]+\.test\.tsx?)(?::\s*(.*))?$/.exec(part);
    if (named?.[1] !== undefined) file = fromClone(named[1], base);
    if (file === undefined) return { tests, wrong: `"${part}" follows no test file (….test.ts: title)` };
    const title = named ? named[2] : part;
    if (title === '') return { tests, wrong: `"${part}" names no title after its colon` };
    tests.push({ file, title });
  }
  return { tests };
}

function fromClone(path: string, base: string): string {
  return /^(packages|apps|scripts)\//.test(path) ? path : `${base}/${path}`;
}

/** Does a title of the page mean a title of a test? `…`, `%s` and `$name` stand for any words, on either side. */
export function means(wanted: string, title: string): boolean {
  return wanted === title || pattern(wanted).test(title) || pattern(title).test(wanted);
}

const HOLE = /…|%[sdifjo#$%]|\$\{?[\w.]+\}?/g;

function pattern(text: string): RegExp {
  const parts = text.split(HOLE).map((part) => part.trim().replace(/[.*+?^${}()|[\]\\]/g, '\\$&'));
  // A title of holes alone would mean everything.
  if (parts.every((part) => part === '')) return /(?!)/;
  return new RegExp(`^${parts.join('.*')}$`, 'su');
}
