import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { readSources, root } from '../house/source.ts';
import { means, PAGE, type Page, parsePage } from './page.ts';
import { titlesIn } from './titles.ts';

/** The page of this clone. */
export function readPage(): Page {
  return parsePage(readFileSync(join(root, PAGE), 'utf8'));
}

/** What the page says that the clone does not hold: missing guards, files and titles; one line each. */
export function checkPage(page: Page): readonly string[] {
  const sources = readSources();
  const titles = new Map<string, readonly string[]>();
  const titlesOf = (path: string): readonly string[] => {
    const known = titles.get(path) ?? titlesIn({ path, text: readFileSync(join(root, path), 'utf8') });
    titles.set(path, known);
    return known;
  };
  const words = new Set(
    sources
      .filter(({ path }) => !/\.(test|fixture)\.tsx?$/.test(path))
      .flatMap(({ text }) => text.match(/\w+/g) ?? []),
  );
  // `npm run corpora` and the like are for people; a name is one word.
  const holds = (name: string): boolean => words.has(name);
  const wrong = page.claims.flatMap((claim) => {
    const at = `${PAGE}:${claim.line}`;
    return [
      ...claim.paths
        .filter((path) => !existsSync(join(root, path)))
        .map((path) => `${at} there is no guard ${path}`),
      ...claim.names.filter((name) => !holds(name)).map((name) => `${at} nothing is called ${name}`),
      ...claim.tests.flatMap(({ file, title }) => {
        if (!existsSync(join(root, file))) return [`${at} there is no ${file}`];
        if (title === undefined || titlesOf(file).some((own) => means(title, own))) return [];
        return [`${at} ${file} has no test "${title}"`];
      }),
    ];
  });
  return [...page.faults, ...wrong];
}
