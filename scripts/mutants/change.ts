import type { Node } from 'oxc-parser';

/** One way to break a rule: `text` takes the place of the node's own text. `name` says what was done. */
export interface Change {
  readonly name: string;
  readonly text: string;
}

type Get = (node: Node) => string;

const BORDERS: Readonly<Record<string, readonly string[]>> = {
  '<': ['<=', '>='],
  '<=': ['<', '>'],
  '>': ['>=', '<='],
  '>=': ['>', '<'],
  '===': ['!=='],
  '!==': ['==='],
};
const LADDERS: readonly (readonly string[])[] = [
  ['viewer', 'member', 'operator', 'admin', 'overlord'],
  ['low', 'medium', 'high'],
];
const CALLS: Readonly<Record<string, string>> = { some: 'every', every: 'some', min: 'max', max: 'min' };
/** Calls that stand alone and only refuse or stop something. */
const GUARD_CALL = /^(assert|refuse|require|ensure|check|verify|end|close|void|stop|lower|revoke)([A-Z]|$)/;

/** All ways to break what stands at this node; empty for most nodes. */
export function changesAt(node: Node, get: Get): readonly Change[] {
  switch (node.type) {
    case 'LogicalExpression':
      return logicalChanges(node, get);
    case 'BinaryExpression':
      return (BORDERS[node.operator] ?? []).map((operator) => ({
        name: `${node.operator} becomes ${operator}`,
        text: `${get(node.left)} ${operator} ${get(node.right)}`,
      }));
    case 'UnaryExpression':
      return node.operator === '!' ? [{ name: 'without its !', text: get(node.argument) }] : [];
    case 'Literal':
      return literalChanges(node.value);
    case 'CallExpression':
      return callChanges(node, get);
    default:
      return [];
  }
}

/** A condition that decides by itself: what it guards always, never, or the other way round. */
export function conditionChanges(text: string, isLoop: boolean): readonly Change[] {
  const never = { name: 'never', text: 'false' };
  return isLoop
    ? [never]
    : [{ name: 'always', text: 'true' }, never, { name: 'inverted', text: `!(${text})` }];
}

/** A call that stands as a statement of its own and refuses by throwing: left out. */
export function isGuardCall(node: Node): boolean {
  const call = node.type === 'AwaitExpression' ? node.argument : node;
  if (call.type !== 'CallExpression') return false;
  return GUARD_CALL.test(calledName(call));
}

/** The last name of what is called: `tx.assertOpen(…)` -> `assertOpen`. */
export function calledName(call: Extract<Node, { type: 'CallExpression' }>): string {
  const { callee } = call;
  if (callee.type === 'Identifier') return callee.name;
  return callee.type === 'MemberExpression' && callee.property.type === 'Identifier'
    ? callee.property.name
    : '';
}

function logicalChanges(node: Extract<Node, { type: 'LogicalExpression' }>, get: Get): readonly Change[] {
  const left = get(node.left);
  const right = get(node.right);
  const alone = [
    { name: `only the left of ${node.operator}`, text: left },
    { name: `only the right of ${node.operator}`, text: right },
  ];
  if (node.operator === '??') return alone;
  const other = node.operator === '&&' ? '||' : '&&';
  return [...alone, { name: `${node.operator} becomes ${other}`, text: `(${left}) ${other} (${right})` }];
}

function literalChanges(value: unknown): readonly Change[] {
  if (typeof value === 'boolean') return [{ name: `${value} becomes ${!value}`, text: String(!value) }];
  if (value === 'permit') return [{ name: 'permit becomes deny', text: `'deny'` }];
  if (value === 'deny') return [{ name: 'deny becomes permit', text: `'permit'` }];
  if (value === 'ask') return [{ name: 'ask becomes permit', text: `'permit'` }];
  return LADDERS.flatMap((ladder) => {
    const at = ladder.indexOf(String(value));
    const lower = ladder[at - 1];
    return lower === undefined ? [] : [{ name: `${value} becomes ${lower}`, text: `'${lower}'` }];
  });
}

function callChanges(node: Extract<Node, { type: 'CallExpression' }>, get: Get): readonly Change[] {
  const { callee } = node;
  const args = `(${node.arguments.map(get).join(', ')})`;
  if (callee.type === 'Identifier' && (callee.name === 'permit' || callee.name === 'deny')) {
    // Each file that decides imports both; the arguments fit either.
    const kind = callee.name === 'permit' ? 'deny' : 'permit';
    return [
      { name: `${callee.name} becomes ${kind}`, text: `({ ...${get(callee)}${args}, kind: '${kind}' })` },
    ];
  }
  if (callee.type !== 'MemberExpression' || callee.property.type !== 'Identifier') return [];
  const other = Object.hasOwn(CALLS, callee.property.name) ? CALLS[callee.property.name] : undefined;
  if (other === undefined) return [];
  return [
    { name: `${callee.property.name} becomes ${other}`, text: `${get(callee.object)}.${other}${args}` },
  ];
}
