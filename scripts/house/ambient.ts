// Clock, randomness and environment come in through main.ts and config.ts; everywhere else they are arguments.
import type { Node } from 'oxc-parser';
import {
  isConformanceSuite,
  isDevelopment,
  lineOf,
  type SourceFile,
  type Violation,
  visitNodes,
} from './source.ts';

type Source = 'clock' | 'randomness' | 'environment';

interface Use {
  readonly name: string;
  readonly source: Source;
}

/** Members of globals (and of the modules that export them) that read the world. */
const members: Readonly<Record<string, Source>> = {
  'Date.now': 'clock',
  'performance.now': 'clock',
  'performance.timeOrigin': 'clock',
  'process.hrtime': 'clock',
  'process.uptime': 'clock',
  'Math.random': 'randomness',
  'process.env': 'environment',
};

/** Names that read the world however they were imported. */
const names: Readonly<Record<string, Source>> = {
  randomUUID: 'randomness',
  randomUUIDv7: 'randomness',
  randomBytes: 'randomness',
  randomInt: 'randomness',
  randomFill: 'randomness',
  randomFillSync: 'randomness',
  getRandomValues: 'randomness',
};

/** Modules whose named export is one of `members`, e.g. `import { env } from 'node:process'`. */
const modules: Readonly<Record<string, string>> = { process: 'process', perf_hooks: 'performance' };

/** Every use of clock, randomness or environment outside the places that may. */
export function checkAmbient(files: readonly SourceFile[]): Violation[] {
  return files.flatMap((file) => {
    const found: Violation[] = [];
    visitNodes(file, (node) => {
      for (const { name, source } of usesIn(node)) {
        if (mayUse(file.path, source)) continue;
        const message = `uses ${name}: ${source} is an argument or a port here, made in apps/*/src/main.ts`;
        found.push({ path: file.path, line: lineOf(file, node.start), message });
      }
    });
    return found;
  });
}

function mayUse(path: string, source: Source): boolean {
  if (isDevelopment(path) || isConformanceSuite(path) || path.startsWith('packages/testkit/')) return true;
  if (/^apps\/[^/]+\/(src\/)?main\.tsx?$/.test(path)) return true;
  switch (source) {
    case 'environment':
      return /^apps\/[^/]+\/src\/config\.ts$/.test(path);
    case 'randomness':
      // Keys, serial numbers and nonces must not be predictable, not even by whoever passes the arguments.
      return path.startsWith('packages/pki/') || path.startsWith('packages/store/src/vault/');
    case 'clock':
      return false;
    default:
      return source satisfies never;
  }
}

function usesIn(node: Node): Use[] {
  switch (node.type) {
    case 'MemberExpression':
      return memberUse(lastName(node.object), propertyName(node.property, node.computed));
    case 'NewExpression':
      return isDate(node.callee) && node.arguments.length === 0
        ? [{ name: 'new Date()', source: 'clock' }]
        : [];
    case 'CallExpression':
      return isDate(node.callee) ? [{ name: 'Date()', source: 'clock' }] : [];
    case 'Identifier':
      return nameUse(node.name);
    case 'VariableDeclarator':
      return node.id.type === 'ObjectPattern' && node.init
        ? node.id.properties.flatMap((property) =>
            property.type === 'Property' && node.init
              ? memberUse(lastName(node.init), propertyName(property.key, property.computed))
              : [],
          )
        : [];
    case 'ImportDeclaration': {
      const owner = modules[node.source.value.replace(/^node:/, '')];
      return node.specifiers.flatMap((specifier) =>
        specifier.type === 'ImportSpecifier' ? memberUse(owner, propertyName(specifier.imported, false)) : [],
      );
    }
    default:
      return [];
  }
}

function memberUse(owner: string | undefined, property: string | undefined): Use[] {
  const name = `${owner}.${property}`;
  const source = Object.hasOwn(members, name) ? members[name] : undefined;
  return source ? [{ name, source }] : [];
}

function nameUse(name: string): Use[] {
  const source = Object.hasOwn(names, name) ? names[name] : undefined;
  return source ? [{ name, source }] : [];
}

function isDate(callee: Node): boolean {
  return lastName(callee) === 'Date';
}

/** `process` of `process`, of `globalThis.process` and of `globalThis['process']`. */
function lastName(node: Node): string | undefined {
  if (node.type === 'Identifier') return node.name;
  return node.type === 'MemberExpression' ? propertyName(node.property, node.computed) : undefined;
}

function propertyName(key: Node, computed: boolean): string | undefined {
  if (key.type === 'Identifier') return computed ? undefined : key.name;
  return key.type === 'Literal' && typeof key.value === 'string' ? key.value : undefined;
}
