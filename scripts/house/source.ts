import { readdirSync, readFileSync } from 'node:fs';
import { join, relative, sep } from 'node:path';
import { fileURLToPath } from 'node:url';
import { type Node, type ParseResult, parseSync } from 'oxc-parser';

/** One source file; `path` is relative to the clone, with `/` between folders. */
export interface SourceFile {
  readonly path: string;
  readonly text: string;
}

/** One broken rule at one place. */
export interface Violation {
  readonly path: string;
  readonly line: number;
  readonly message: string;
}

/** The folder of the clone. */
export const root = fileURLToPath(new URL('../..', import.meta.url));

const parsed = new WeakMap<SourceFile, ParseResult>();

/** Every TypeScript file of every package and app: src, bench and demo. */
export function readSources(): SourceFile[] {
  return ['packages', 'apps'].flatMap((floor) =>
    folders(join(root, floor)).flatMap((room) =>
      ['src', 'bench', 'demo'].flatMap((part) => filesUnder(join(root, floor, room, part))),
    ),
  );
}

/** Parses a file once. @throws Error when its syntax is broken, with path and cause. */
export function parse(file: SourceFile): ParseResult {
  const known = parsed.get(file);
  if (known) return known;
  const result = parseSync(file.path, file.text, { preserveParens: false });
  const error = result.errors.find(({ severity }) => severity === 'Error');
  if (error) throw new Error(`${file.path} cannot be parsed: ${error.message}`);
  parsed.set(file, result);
  return result;
}

/** Visits every node of a file's syntax tree, parents first. */
export function visitNodes(file: SourceFile, visit: (node: Node) => void): void {
  const pending: unknown[] = [parse(file).program];
  while (pending.length > 0) {
    const value = pending.pop();
    if (typeof value !== 'object' || value === null) continue;
    // safe: every object with a string `type` in an oxc tree is a node.
    if ('type' in value && typeof value.type === 'string') visit(value as Node);
    pending.push(...Object.values(value).reverse());
  }
}

/** Line of an offset, from 1. */
export function lineOf(file: SourceFile, offset: number): number {
  return file.text.slice(0, offset).split('\n').length;
}

/** Folder names of every room-like folder under a path of the clone; empty when there is no such path. */
export function folders(path: string): string[] {
  return entries(path).flatMap((entry) => (entry.isDirectory() && !isHidden(entry.name) ? [entry.name] : []));
}

/** Tests, their fixtures, benchmarks and demos may join any rooms. */
export function isDevelopment(path: string): boolean {
  return /\.(test|fixture)\.tsx?$/.test(path) || /\/(bench|demo)\//.test(path);
}

/** Shared suites that an adapter's tests call; they may use the test runner, nothing else of a test's freedom. */
export function isConformanceSuite(path: string): boolean {
  return /(^|[./-])conformance\.ts$/.test(path);
}

/** One line per violation, so that a failed test prints a list a person can work through. */
export function describeViolations(violations: readonly Violation[]): string[] {
  return violations.map(({ path, line, message }) => `${path}:${line} ${message}`);
}

function filesUnder(path: string): SourceFile[] {
  return entries(path).flatMap((entry) => {
    const child = join(path, entry.name);
    if (isHidden(entry.name)) return [];
    if (entry.isDirectory()) return filesUnder(child);
    if (!/\.(ts|tsx|mts|mjs)$/.test(entry.name)) return [];
    return [{ path: relative(root, child).split(sep).join('/'), text: readFileSync(child, 'utf8') }];
  });
}

function entries(path: string) {
  try {
    return readdirSync(path, { withFileTypes: true });
  } catch {
    return [];
  }
}

function isHidden(name: string): boolean {
  return name === 'node_modules' || name === 'dist' || name.startsWith('.');
}
