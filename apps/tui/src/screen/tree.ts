/** Where a row of a list hangs. */
export interface Branch {
  /** How many rows are above it in its tree; 0: none. */
  readonly depth: number;
  /** Light lines to set before its text; empty for a root. */
  readonly lines: string;
}

interface About<T> {
  keyOf(row: T): string;
  parentOf(row: T): string | undefined;
}

/** From here on a deeper row is drawn no further to the right, or its text would have no room at 80 columns. */
const DEEPEST = 6;

/**
 * Rows with those that came from them right below, in their order otherwise. A tree stands where its first row stood in the list, so
 * that what is new stays at the top with all it belongs to. A row whose parent is not in the list is a root; so is, where damaged rows
 * go in a circle, one of them.
 */
export function inTrees<T>(rows: readonly T[], about: About<T>): readonly T[] {
  const byKey = new Map(rows.map((row) => [about.keyOf(row), row]));
  const below = new Map<string, T[]>();
  for (const row of rows) {
    const parent = about.parentOf(row);
    if (parent !== undefined) below.set(parent, [...(below.get(parent) ?? []), row]);
  }
  const placed = new Set<T>();
  const out: T[] = [];
  for (const row of rows) {
    const waiting = [rootOf(row, byKey, about)];
    for (let next = waiting.pop(); next !== undefined; next = waiting.pop()) {
      if (placed.has(next)) continue;
      placed.add(next);
      out.push(next);
      waiting.push(...(below.get(about.keyOf(next)) ?? []).toReversed());
    }
  }
  return out;
}

function rootOf<T>(row: T, byKey: ReadonlyMap<string, T>, about: About<T>): T {
  const seen = new Set<T>();
  let at = row;
  for (;;) {
    seen.add(at);
    const parent = byKey.get(about.parentOf(at) ?? '');
    if (parent === undefined || seen.has(parent)) return at;
    at = parent;
  }
}

/**
 * The lines before each of these rows.
 * @param shown rows in the order of `inTrees`, maybe not all of `all`: a row hangs from the nearest one above it that is shown
 */
export function branches<T>(shown: readonly T[], all: readonly T[], about: About<T>): ReadonlyMap<T, Branch> {
  const parents = new Map(all.map((row) => [about.keyOf(row), about.parentOf(row)]));
  const inSight = new Set(shown.map(about.keyOf));
  const drawn = new Map<T, Branch>();
  // Keys of the rows above the present one, and whether each of them is the last below its own parent.
  let path: { readonly key: string; readonly isLast: boolean }[] = [];
  const shownParents = shown.map((row) => shownParent(about.keyOf(row), parents, inSight));
  const lastOf = new Map(shown.map((row, i) => [shownParents[i], about.keyOf(row)]));
  shown.forEach((row, i) => {
    const parent = shownParents[i];
    const key = about.keyOf(row);
    path = path.slice(0, path.findIndex((one) => one.key === parent) + 1);
    const isLast = lastOf.get(parent) === key;
    const depth = path.length;
    drawn.set(row, { depth, lines: depth === 0 ? '' : linesOf(path.slice(1), isLast) });
    path.push({ key, isLast });
  });
  return drawn;
}

function linesOf(above: readonly { readonly isLast: boolean }[], isLast: boolean): string {
  const end = isLast ? '└ ' : '├ ';
  if (above.length >= DEEPEST) return `${'  '.repeat(DEEPEST - 1)}… ${end}`;
  return above.map((one) => (one.isLast ? '  ' : '│ ')).join('') + end;
}

function shownParent(
  key: string,
  parents: ReadonlyMap<string, string | undefined>,
  inSight: ReadonlySet<string>,
): string | undefined {
  const seen = new Set([key]);
  let at = parents.get(key);
  while (at !== undefined && !inSight.has(at)) {
    if (seen.has(at)) return undefined;
    seen.add(at);
    at = parents.get(at);
  }
  return at;
}
