import type { Node } from 'oxc-parser';
import { type SourceFile, visitNodes } from '../house/source.ts';

/** Every title given to `test`, `it` and `describe` in a file, as written; what is put in by code is a `…`. */
export function titlesIn(source: SourceFile): readonly string[] {
  const titles: string[] = [];
  visitNodes(source, (node) => {
    if (node.type !== 'CallExpression' || !isTestCall(node.callee)) return;
    const title = titleOf(node.arguments[0]);
    if (title !== undefined) titles.push(title);
  });
  return titles;
}

/** `test(…)`, `test.each(…)(…)`, `describe.skipIf(…)(…)`. */
function isTestCall(callee: Node): boolean {
  if (callee.type === 'Identifier') return /^(test|it|describe)$/.test(callee.name);
  if (callee.type === 'MemberExpression') return isTestCall(callee.object);
  if (callee.type === 'CallExpression')
    return callee.callee.type === 'MemberExpression' && isTestCall(callee.callee);
  return callee.type === 'TaggedTemplateExpression' && isTestCall(callee.tag);
}

function titleOf(node: Node | undefined): string | undefined {
  if (node?.type === 'Literal' && typeof node.value === 'string') return node.value;
  if (node?.type !== 'TemplateLiteral') return undefined;
  return node.quasis.map(({ value }) => value.cooked ?? '').join('…');
}
