import { createHash } from 'node:crypto';
import type { Node } from 'oxc-parser';
import { lineOf, parse, type SourceFile } from '../house/source.ts';
import { type Change, calledName, changesAt, conditionChanges, isGuardCall } from './change.ts';
import { roomOf } from './scope.ts';

/** One place of a source file where something can be broken. */
export interface Site {
  readonly start: number;
  readonly end: number;
  /** `drop` leaves out a statement, an element or a member with its comma; `swap` exchanges an expression. */
  readonly how: 'swap' | 'drop-statement' | 'drop-element';
  /** Runs when the module loads, so that a mutant of it needs fresh modules. */
  readonly isStatic: boolean;
  /** The function or constant around it. */
  readonly rule: string;
  readonly changes: readonly Change[];
}

/** One change at one place. The id names package, rule, text and change, no file and no line: it survives edits elsewhere and moves. */
export interface Mutant {
  readonly id: string;
  /** Number in this run, from 1. */
  readonly number: number;
  readonly path: string;
  readonly room: string;
  readonly line: number;
  readonly rule: string;
  readonly original: string;
  readonly change: Change;
  readonly isStatic: boolean;
}

/** A file with its sites and, for each of them in order, its mutants. */
export interface RuleFile {
  readonly source: SourceFile;
  readonly sites: readonly Site[];
  readonly mutants: readonly (readonly Mutant[])[];
}

interface Around {
  readonly rule: string;
  readonly isStatic: boolean;
  readonly isBoolean: boolean;
}

/** Words for people: what stands in them is no rule. */
const WORDS = new Set(['text', 'message', 'detail', 'summary', 'title', 'hint', 'code', 'data', 'room']);
/** Lists from which only a type and a parser are made: the compiler minds what is missing. */
const NAMES = /_(STATES|CLASSES)$/;
const SPEAKERS = /^(error|warn|info|debug|count|observe|publish|reach)$/;

/** Numbers every mutant of these files. Equal changes of equally named rules are told apart by their order. */
export function findMutants(sources: readonly SourceFile[]): readonly RuleFile[] {
  const seen = new Map<string, number>();
  let number = 0;
  return sources.map((source) => {
    const sites = findSites(source);
    const mutants = sites.map((site) =>
      site.changes.map((change): Mutant => {
        const original = flat(source.text.slice(site.start, site.end));
        const key = [source.path.split('/')[1], site.rule, original, change.name, flat(change.text)].join(
          '\0',
        );
        const nth = seen.get(key) ?? 0;
        seen.set(key, nth + 1);
        number += 1;
        return {
          id: createHash('sha256').update(`${key}\0${nth}`).digest('hex').slice(0, 10),
          number,
          path: source.path,
          room: roomOf(source.path),
          line: lineOf(source, site.start),
          rule: site.rule,
          original,
          change,
          isStatic: site.isStatic,
        };
      }),
    );
    return { source, sites, mutants };
  });
}

function flat(text: string): string {
  return text.replace(/\s+/g, ' ').trim();
}

/** Every site of one file, outer ones first. @throws Error when its syntax is broken */
export function findSites(source: SourceFile): readonly Site[] {
  const sites: Site[] = [];
  const get = (node: Node): string => source.text.slice(node.start, node.end);
  const add = (node: Node, around: Around, changes: readonly Change[], how: Site['how'] = 'swap'): void => {
    if (changes.length === 0) return;
    const { rule, isStatic } = around;
    sites.push({ start: node.start, end: node.end, how, isStatic, rule, changes });
  };

  function visit(node: Node, around: Around): void {
    if (isOutside(node)) return;
    const inside = enter(node, around);
    const changes = [...changesAt(node, get)];
    const own = sites.length;
    for (const [child, role] of childrenOf(node)) {
      if (role === 'condition') addCondition(child, inside, /^(While|For|DoWhile)/.test(node.type));
      else if (role === 'answer' && inside.isBoolean && !isNever(child)) addCondition(child, inside, false);
      else visit(child, inside);
    }
    if (node.type === 'ExpressionStatement' && isGuardCall(node.expression))
      add(node, inside, [{ name: 'left out', text: '' }], 'drop-statement');
    if (inside.isStatic && node.type === 'ArrayExpression' && !NAMES.test(inside.rule))
      for (const element of node.elements)
        if (element !== null) add(element, inside, [{ name: 'left out', text: '' }], 'drop-element');
    const late = sites.splice(own);
    add(node, inside, changes);
    sites.push(...late);
  }

  /** A condition and what it is made of share one site: all changes of its root stand in one switch. */
  function addCondition(node: Node, around: Around, isLoop: boolean): void {
    const before = sites.length;
    visit(node, around);
    const found = sites.splice(before);
    const own = found.filter((site) => site.start === node.start && site.end === node.end);
    const changes = [...conditionChanges(get(node), isLoop), ...own.flatMap((site) => site.changes)];
    add(
      node,
      around,
      isBare(node) ? changes.filter(({ name }) => name !== 'always' && name !== 'never') : changes,
    );
    sites.push(...found.filter((site) => !own.includes(site)));
  }

  visit(parse(source).program, { rule: 'module', isStatic: true, isBoolean: false });
  return sites;
}

/** `const never: never = x; return never;` is for the compiler alone. */
function isNever(node: Node): boolean {
  return node.type === 'Identifier' && node.name === 'never';
}

/** `true` and `false` as answers are exchanged already. */
function isBare(node: Node): boolean {
  return node.type === 'Literal' && typeof node.value === 'boolean';
}

/** Types, imports, words for people and what only writes logs hold no rules. */
function isOutside(node: Node): boolean {
  if (node.type.startsWith('TS')) {
    return !['TSAsExpression', 'TSSatisfiesExpression', 'TSNonNullExpression'].includes(node.type);
  }
  if (/^(Import|TemplateLiteral|TaggedTemplate)/.test(node.type) || node.type === 'ThrowStatement')
    return true;
  if (node.type === 'NewExpression')
    return node.callee.type === 'Identifier' && node.callee.name.endsWith('Error');
  if (node.type === 'Property') return node.key.type === 'Identifier' && WORDS.has(node.key.name);
  return (
    node.type === 'CallExpression' &&
    node.callee.type === 'MemberExpression' &&
    SPEAKERS.test(calledName(node))
  );
}

function enter(node: Node, around: Around): Around {
  if (node.type === 'VariableDeclarator' && node.id.type === 'Identifier' && around.rule === 'module')
    return { ...around, rule: node.id.name };
  if (node.type === 'FunctionDeclaration' || node.type === 'FunctionExpression') {
    const rule = node.id?.name ?? around.rule;
    return { rule, isStatic: false, isBoolean: answersBoolean(node) };
  }
  if (node.type === 'ArrowFunctionExpression') {
    const isJudge = node.expression && /^(Logical|Binary|Unary)/.test(node.body.type);
    return { ...around, isStatic: false, isBoolean: answersBoolean(node) || (isJudge && isTest(node.body)) };
  }
  return around;
}

function isTest(body: Node): boolean {
  if (body.type === 'BinaryExpression')
    return Object.hasOwn({ '<': 1, '<=': 1, '>': 1, '>=': 1, '===': 1, '!==': 1 }, body.operator);
  if (body.type === 'UnaryExpression') return body.operator === '!';
  return (
    body.type === 'LogicalExpression' && body.operator !== '??' && (isTest(body.left) || isTest(body.right))
  );
}

function answersBoolean(node: { readonly returnType?: unknown }): boolean {
  const type = JSON.stringify(node.returnType ?? null);
  return /"typeAnnotation":\{"type":"TS(BooleanKeyword|TypePredicate)"/.test(type);
}

/** The nodes below a node in order of the text, each with the part it plays. */
function childrenOf(node: Node): readonly (readonly [Node, 'condition' | 'answer' | 'part'])[] {
  return Object.entries(node).flatMap(([key, value]) => {
    if (key === 'type' || key === 'parent') return [];
    const values: readonly unknown[] = Array.isArray(value) ? value : [value];
    return values.filter(isNode).map((child) => [child, partOf(node, key, child)] as const);
  });
}

function partOf(node: Node, key: string, child: Node): 'condition' | 'answer' | 'part' {
  if (key === 'test' && node.type !== 'SwitchCase') return 'condition';
  if (node.type === 'ReturnStatement' && key === 'argument') return 'answer';
  if (node.type === 'ArrowFunctionExpression' && key === 'body' && child.type !== 'BlockStatement')
    return 'answer';
  return 'part';
}

function isNode(value: unknown): value is Node {
  return typeof value === 'object' && value !== null && 'type' in value && typeof value.type === 'string';
}
