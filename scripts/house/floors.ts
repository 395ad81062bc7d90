// Look down, never sideways, never up: every import of every package and app, held against fences.ts.
import { posix } from 'node:path';
import { domainBuiltins, domainRanks, fences, innerEntries, mayImport, testLibraries } from './fences.ts';
import { findCycles, reachableFrom } from './graph.ts';
import { type Import, importsOf, type Target } from './imports.ts';
import { isConformanceSuite, isDevelopment, type SourceFile, type Violation } from './source.ts';

/** Where a file stands: `packages/engine/src/run/step.ts` is home `packages/engine`, name `engine`. */
interface Place {
  readonly path: string;
  readonly home: string;
  readonly name: string;
  readonly isDevelopment: boolean;
}

/** All broken floor rules in `files`, in the order of the files; cycles last. */
export function checkFloors(files: readonly SourceFile[]): Violation[] {
  const imports = new Map(files.map((file) => [file.path, importsOf(file)]));
  const graph = graphOf(imports);
  return [
    ...files.flatMap((file) => checkFile(file.path, imports.get(file.path) ?? [])),
    ...checkGraph(graph),
  ];
}

function checkFile(path: string, imports: readonly Import[]): Violation[] {
  const place = placeOf(path);
  return imports.flatMap(({ line, target }) => {
    const message = refuse(place, target);
    return message === undefined ? [] : [{ path, line, message }];
  });
}

/** Why `place` may not import `target`; undefined when it may. */
function refuse(place: Place, target: Target): string | undefined {
  switch (target.kind) {
    case 'relative':
      return refuseRelative(place, target.path);
    case 'room':
      return refuseRoom(place, target.name, target.inner);
    case 'builtin':
      return refuseBuiltin(place, target.name);
    case 'library':
      return refuseLibrary(place, target.name);
    case 'computed':
      return place.isDevelopment
        ? undefined
        : 'imports a computed name; floors must be readable: write a literal';
    default:
      return target satisfies never;
  }
}

function refuseRelative(place: Place, path: string): string | undefined {
  if (!path.startsWith(`${place.home}/`)) return `leaves its package (${path}); import the package by name`;
  if (place.isDevelopment) return undefined;
  if (isDevelopment(path)) return `imports ${path}, which exists only for development`;
  return place.name === 'domain' ? refuseRank(place, path) : undefined;
}

function refuseRank(place: Place, path: string): string | undefined {
  const from = domainRoomOf(place.path);
  const to = domainRoomOf(path);
  // The index of the package stands above all its rooms.
  if (from === undefined) return undefined;
  if (to === undefined) return 'imports the index of its own package; import the room';
  if (!domainRanks.includes(to)) return `imports ${to}, a domain room without a rank; add it to fences.ts`;
  const isBelow = domainRanks.indexOf(to) <= domainRanks.indexOf(from);
  return isBelow ? undefined : `${from} imports ${to}, which ranks above it`;
}

function refuseRoom(place: Place, name: string, inner: string): string | undefined {
  if (name === place.name) return 'imports its own package by name; use a relative path';
  if (inner !== '') return refuseInner(place, `@agent-runtime/${name}/${inner}`);
  if (place.isDevelopment) return undefined;
  const allowed = mayImport[place.name];
  if (allowed === undefined) return `${place.name} has no line in fences.ts`;
  return allowed.includes(name) ? undefined : `${place.name} may not import ${name}`;
}

function refuseInner(place: Place, specifier: string): string | undefined {
  const allowed = innerEntries[specifier];
  if (allowed === undefined) return `reaches inside a package (${specifier}); import the package by name`;
  if (place.isDevelopment || allowed.includes(place.name)) return undefined;
  return `${specifier} is for ${allowed.join(', ')} only`;
}

function refuseBuiltin(place: Place, name: string): string | undefined {
  if (place.name !== 'domain' || place.isDevelopment) return undefined;
  return domainBuiltins.includes(name) ? undefined : `domain may not use node:${name}`;
}

function refuseLibrary(place: Place, name: string): string | undefined {
  if (place.isDevelopment || place.name === 'testkit') return undefined;
  if (testLibraries.includes(name)) {
    return isConformanceSuite(place.path)
      ? undefined
      : `${name} is for tests, testkit and conformance suites`;
  }
  const allowed = fences[name] ?? fences[`${name.split('/')[0]}/`];
  if (allowed === undefined) return `${name} has no fence; say in fences.ts which rooms may know it`;
  return allowed.includes(place.name) ? undefined : `${name} is for ${allowed.join(', ')} only`;
}

function checkGraph(graph: ReadonlyMap<string, readonly string[]>): Violation[] {
  const cycles = findCycles(graph).map((cycle) => ({
    path: cycle[0] ?? '',
    line: 1,
    message: `import cycle: ${cycle.join(' -> ')}`,
  }));
  // What the runtime sees of a tool is its spec; what the tool does must stay behind the glass.
  const leaks = reachableFrom(graph, 'packages/tools/src/index.ts')
    .filter((path) => posix.basename(path) === 'run.ts')
    .map((path) => ({ path, line: 1, message: 'is reachable from the tools index; only specs may be' }));
  return [...cycles, ...leaks];
}

/** File -> files it imports, over relative imports and package names; libraries are not part of it. */
function graphOf(imports: ReadonlyMap<string, readonly Import[]>): Map<string, string[]> {
  const nodes = [...imports].map(([path, list]): [string, string[]] => [
    path,
    list.map(({ target }) => fileOf(target)).filter((file) => imports.has(file)),
  ]);
  return new Map(nodes);
}

function fileOf(target: Target): string {
  if (target.kind === 'relative') return target.path;
  if (target.kind === 'room') return `packages/${target.name}/src/${target.inner || 'index'}.ts`;
  return '';
}

function placeOf(path: string): Place {
  const [floor = '', name = ''] = path.split('/');
  return { path, home: `${floor}/${name}`, name, isDevelopment: isDevelopment(path) };
}

function domainRoomOf(path: string): string | undefined {
  return /^packages\/domain\/src\/([^/]+)\//.exec(path)?.[1];
}
