import { isBuiltin } from 'node:module';
import { posix } from 'node:path';
import type { Argument, Expression, Node } from 'oxc-parser';
import { lineOf, type SourceFile, visitNodes } from './source.ts';

/** What an import names. `computed`: not a literal, so nobody can say. */
export type Target =
  | { readonly kind: 'relative'; readonly path: string }
  | { readonly kind: 'room'; readonly name: string; readonly inner: string }
  | { readonly kind: 'builtin'; readonly name: string }
  | { readonly kind: 'library'; readonly name: string }
  | { readonly kind: 'computed' };

/** One import of a file, of any form: static, dynamic, export-from, type-only, import type, require. */
export interface Import {
  readonly line: number;
  readonly target: Target;
}

const scope = '@agent-runtime/';
const loaders = new Set(['require', 'getBuiltinModule']);

/** Every import of a file in source order. */
export function importsOf(file: SourceFile): Import[] {
  const imports: Import[] = [];
  visitNodes(file, (node) => {
    const source = sourceOf(node);
    if (source !== undefined) {
      imports.push({ line: lineOf(file, node.start), target: classify(file.path, source) });
    }
  });
  return imports;
}

/** The specifier of an importing node; null when it is computed, undefined when the node imports nothing. */
function sourceOf(node: Node): string | null | undefined {
  switch (node.type) {
    case 'ImportDeclaration':
    case 'ExportAllDeclaration':
    case 'TSImportType':
      return node.source.value;
    case 'ExportNamedDeclaration':
      return node.source?.value;
    case 'ImportExpression':
      return literalOf(node.source);
    case 'TSExternalModuleReference':
      return node.expression.value;
    case 'CallExpression':
      return isLoader(node.callee) ? literalOf(node.arguments[0]) : undefined;
    default:
      return undefined;
  }
}

function isLoader(callee: Expression): boolean {
  if (callee.type === 'Identifier') return loaders.has(callee.name);
  return (
    callee.type === 'MemberExpression' &&
    callee.property.type === 'Identifier' &&
    callee.property.name === 'getBuiltinModule'
  );
}

function literalOf(expression: Expression | Argument | undefined): string | null {
  if (expression?.type === 'Literal' && typeof expression.value === 'string') return expression.value;
  const isPlainTemplate = expression?.type === 'TemplateLiteral' && expression.expressions.length === 0;
  return isPlainTemplate ? (expression.quasis[0]?.value.cooked ?? null) : null;
}

function classify(fromPath: string, specifier: string | null): Target {
  if (specifier === null) return { kind: 'computed' };
  if (specifier.startsWith('.') || specifier.startsWith('/')) {
    return { kind: 'relative', path: posix.join(posix.dirname(fromPath), specifier) };
  }
  if (isBuiltin(specifier)) return { kind: 'builtin', name: specifier.replace(/^node:/, '') };
  const [first = '', second = ''] = specifier.split('/');
  if (!specifier.startsWith(scope)) {
    return { kind: 'library', name: specifier.startsWith('@') ? `${first}/${second}` : first };
  }
  return { kind: 'room', name: second, inner: specifier.slice(scope.length + second.length + 1) };
}
