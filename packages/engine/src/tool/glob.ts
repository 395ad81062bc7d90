/**
 * Does a path fit a pattern of `*` (inside one folder), `**` (any depth) and `?`? Case does not matter. Cost O(path x pattern),
 * whatever the pattern: no regular expression is built from a model's words.
 */
export function matchesGlob(path: string, pattern: string): boolean {
  return matchParts(path.toLowerCase().split('/'), pattern.toLowerCase().split('/'));
}

function matchParts(path: readonly string[], pattern: readonly string[]): boolean {
  // reach[j]: the first j parts of the pattern can stand for the parts of the path read so far.
  let reach = pattern.map((_, j) => pattern.slice(0, j).every((part) => part === '**'));
  reach.push(pattern.every((part) => part === '**'));
  for (const part of path) {
    const next: boolean[] = [false];
    for (let j = 1; j <= pattern.length; j += 1) {
      const want = pattern[j - 1] ?? '';
      next.push(
        want === '**'
          ? reach[j] === true || next[j - 1] === true
          : reach[j - 1] === true && matchPart(part, want),
      );
    }
    reach = next;
  }
  return reach[pattern.length] === true;
}

function matchPart(text: string, pattern: string): boolean {
  let reach = [
    true,
    ...[...pattern].map((_, j) => [...pattern].slice(0, j + 1).every((char) => char === '*')),
  ];
  for (const char of text) {
    const next = [false];
    for (let j = 1; j <= pattern.length; j += 1) {
      const want = pattern[j - 1];
      next.push(
        want === '*'
          ? reach[j] === true || next[j - 1] === true
          : reach[j - 1] === true && (want === '?' || want === char),
      );
    }
    reach = next;
  }
  return reach[pattern.length] === true;
}
