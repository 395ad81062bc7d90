import { isConformanceSuite, isDevelopment, readSources, type SourceFile } from '../house/source.ts';

/** Where the rules stand. A file that moves inside these folders stays in the gate; what only wires or words is left out. */
const RULES: readonly RegExp[] = [
  /^packages\/domain\/src\/(policy|label|approval|effect|identity|context)\//,
  /^packages\/domain\/src\/tool\/(path-class|url)/,
  /^packages\/engine\/src\/(settle|effect|approval|gate|panic|ingest|notify|tool)\//,
  /^packages\/engine\/src\/run\/(rights|finish|tool-call)/,
  /^packages\/store\/src\/(commit|audit|label)\//,
  /^packages\/store\/src\/workspace\/guard/,
];

/** Suites that start processes or play long games: what they prove of a child process or in minutes they cannot prove of a mutant here. */
const SLOW =
  /\/(process|kill|swap|failure|golden|projector|fault|damage|llm-faults|mediation|simulation|foe|foe-isolation)\.test\.ts$/;

/** Every file with rules, in a stable order. */
export function readRuleFiles(): SourceFile[] {
  return (
    readSources()
      .filter(({ path }) => RULES.some((rule) => rule.test(path)))
      // What a diff shows is words for people; the bytes that leave are decided elsewhere.
      .filter(({ path }) => !path.endsWith('/effect/diff.ts'))
      .filter(({ path }) => !isDevelopment(path) && !isConformanceSuite(path) && !path.endsWith('/index.ts'))
      .sort((a, b) => (a.path < b.path ? -1 : 1))
  );
}

/** The suites that may kill a mutant. */
export function readSuites(): string[] {
  return readSources()
    .map(({ path }) => path)
    .filter((path) => /^packages\/(domain|engine|store)\/src\/.*\.test\.ts$/.test(path) && !SLOW.test(path))
    .sort();
}

/** `packages/engine/src/settle/claim.ts` -> `engine/settle`: the unit in which results are counted. */
export function roomOf(path: string): string {
  const [, pack, , room] = path.split('/');
  return `${pack}/${room}`;
}
