// One noun, seven places: error codes, audit actions and tables start with the name of the room they live in.
import { ERROR_KINDS } from '@agent-runtime/domain';
import type { CallExpression, NewExpression, Node, ObjectExpression } from 'oxc-parser';
import { isDevelopment, lineOf, parse, type SourceFile, type Violation, visitNodes } from './source.ts';

const errorKinds = Object.keys(ERROR_KINDS);

const word = '[a-z][a-z0-9_-]*';
const dottedWords = new RegExp(`^${word}(\\.${word})+$`);
// No hyphen: `socket.agent-runtime.invalid` is a host name.
const codeWord = '[a-z][a-z0-9_]*';
const errorCodeShape = new RegExp(`^${codeWord}\\.${codeWord}\\.(${errorKinds.join('|')})$`);
const createTableSql = /\bcreate\s+(?:\w+\s+)?table\s+(?:if\s+not\s+exists\s+)?["'`[]?([a-z_]\w*)/gi;

/** Stands for the computed part of a template, e.g. `task.${what}.missing`. */
const hole = '§';

/**
 * Names of all rooms: every folder under a package's or app's src; a package without folders is itself a room,
 * and an app always is.
 */
export function roomsOf(files: readonly SourceFile[]): Set<string> {
  const rooms = new Set<string>();
  const withFolders = new Set<string>();
  for (const { path } of files) {
    const [floor = '', name = '', part, ...inner] = path.split('/');
    if (part !== 'src') continue;
    for (const folder of inner.slice(0, -1)) rooms.add(folder);
    if (inner.length > 1) withFolders.add(name);
    if (floor === 'apps') rooms.add(name);
  }
  for (const { path } of files) {
    const name = path.split('/')[1] ?? '';
    if (!withFolders.has(name)) rooms.add(name);
  }
  return rooms;
}

/** All nouns in product code that name no room, and error codes of the wrong shape. */
export function checkNouns(files: readonly SourceFile[], rooms: ReadonlySet<string>): Violation[] {
  return files
    .filter(({ path }) => !isDevelopment(path))
    .flatMap((file) => {
      const found = new Map<string, Violation>();
      visitNodes(file, (node) => {
        for (const message of refuseNode(node, rooms)) {
          const line = lineOf(file, node.start);
          // A code in an AppError is seen twice: as its code and as a string of that shape.
          found.set(message, found.get(message) ?? { path: file.path, line, message });
        }
      });
      return [...found.values()];
    });
}

/** Room indexes that do not open with the four lines: owns, never, callers, invariants. */
export function checkRoomIndexes(files: readonly SourceFile[]): Violation[] {
  return files
    .filter(({ path }) => /^packages\/[^/]+\/src\/.+\/index\.ts$/.test(path))
    .flatMap((file) => {
      const missing = ['Owns', 'Never', 'Callers', 'Invariants'].filter(
        (heading) => !new RegExp(`^[\\s*]*${heading}\\b.*\\w`, 'im').test(openingComment(file)),
      );
      if (missing.length === 0) return [];
      const message = `opens without saying: ${missing.join(', ')} (four comment lines, see docs/rooms)`;
      return [{ path: file.path, line: 1, message }];
    });
}

/** The comments before the first statement, one per line. */
function openingComment(file: SourceFile): string {
  const { program, comments } = parse(file);
  const codeStart = program.body[0]?.start ?? file.text.length;
  return comments
    .filter(({ end }) => end <= codeStart)
    .map(({ value }) => value)
    .join('\n');
}

function refuseNode(node: Node, rooms: ReadonlySet<string>): string[] {
  switch (node.type) {
    case 'NewExpression':
      return isNamed(node, 'AppError') ? refuseError(node) : [];
    case 'CallExpression':
      if (isNamed(node, 'appError')) return refuseError(node);
      return isNamed(node, 'createTable') ? refuseTable(node, rooms) : [];
    case 'Property':
      return nameOf(node.key) === 'action' ? refuseActions(node.value, rooms) : [];
    case 'Literal':
      return typeof node.value === 'string' ? refuseText(node.value, rooms) : [];
    case 'TemplateLiteral':
      return refuseText(textOf(node) ?? '', rooms);
    default:
      return [];
  }
}

/** Shape of an error: code of three parts that ends with its kind. Its noun is checked as a text. */
function refuseError(call: NewExpression | CallExpression): string[] {
  const [init] = call.arguments;
  if (init?.type !== 'ObjectExpression') return [];
  const kinds = valuesOf(init, 'kind');
  return valuesOf(init, 'code').flatMap((code) => {
    const parts = code.split('.');
    const last = parts.at(-1) ?? '';
    if (parts.length !== 3) return [`error code '${code}' has not the three parts noun.what.kind`];
    const expected = kinds.length > 0 ? kinds : errorKinds;
    // The type of AppError checks a kind that is computed.
    if (last === hole && kinds.length === 0) return [];
    if (!expected.includes(last))
      return [`error code '${code}' does not end with its kind (${kinds.join(', ')})`];
    return [];
  });
}

/** Error codes anywhere (helpers and tables carry them too) and tables in SQL text. */
function refuseText(text: string, rooms: ReadonlySet<string>): string[] {
  const codes = errorCodeShape.test(text.replaceAll(hole, 'x')) ? [text] : [];
  const nouns = codes.map((code) => code.split('.')[0] ?? '').filter((noun) => !rooms.has(noun));
  const tables = [...text.matchAll(createTableSql)].map(([, name = '']) => name);
  return [
    ...nouns.map((noun) => `error code '${text}' starts with '${noun}', which is no room`),
    ...tables.flatMap((table) => refuseTableName(table, rooms)),
  ];
}

function refuseActions(value: Node, rooms: ReadonlySet<string>): string[] {
  return literalsOf(value)
    .filter((action) => dottedWords.test(action.replaceAll(hole, 'x')))
    .flatMap((action) => {
      const [noun = '', ...verb] = action.split('.');
      if (verb.length !== 1) return [`action '${action}' has not the two parts room.verb`];
      return rooms.has(noun) ? [] : [`action '${action}' starts with '${noun}', which is no room`];
    });
}

function refuseTable(call: CallExpression, rooms: ReadonlySet<string>): string[] {
  const [first] = call.arguments;
  const names = first ? literalsOf(first) : [];
  if (names.length === 0) return ['createTable needs a literal name, so that its room shows'];
  return names.flatMap((name) => refuseTableName(name, rooms));
}

/** `effect`, `effect_claim` and `file_label_rule` (room file-label) are fine when such a room exists. */
function refuseTableName(table: string, rooms: ReadonlySet<string>): string[] {
  const words = table.toLowerCase().split('_');
  const prefixes = words.map((_, index) => words.slice(0, index + 1));
  const isKnown = prefixes.some((prefix) => rooms.has(prefix.join('-')) || rooms.has(prefix.join('_')));
  return isKnown ? [] : [`table '${table}' starts with no room`];
}

/** The literal values a property of an object may take. */
function valuesOf(object: ObjectExpression, key: string): string[] {
  return object.properties.flatMap((property) =>
    property.type === 'Property' && nameOf(property.key) === key ? literalsOf(property.value) : [],
  );
}

/** Strings an expression may yield, as far as they are written there; holes stand for computed parts. */
function literalsOf(expression: Node): string[] {
  switch (expression.type) {
    case 'Literal':
    case 'TemplateLiteral': {
      const text = textOf(expression);
      return text === undefined ? [] : [text];
    }
    case 'ConditionalExpression':
      return [...literalsOf(expression.consequent), ...literalsOf(expression.alternate)];
    case 'LogicalExpression':
      return [...literalsOf(expression.left), ...literalsOf(expression.right)];
    case 'TSAsExpression':
    case 'TSSatisfiesExpression':
      return literalsOf(expression.expression);
    default:
      return [];
  }
}

function textOf(expression: Node): string | undefined {
  if (expression.type === 'Literal')
    return typeof expression.value === 'string' ? expression.value : undefined;
  if (expression.type !== 'TemplateLiteral') return undefined;
  return expression.quasis.map(({ value }) => value.cooked ?? '').join(hole);
}

function isNamed(call: NewExpression | CallExpression, name: string): boolean {
  if (call.callee.type === 'MemberExpression') return nameOf(call.callee.property) === name;
  return nameOf(call.callee) === name;
}

function nameOf(key: Node): string | undefined {
  if (key.type === 'Identifier') return key.name;
  return key.type === 'Literal' && typeof key.value === 'string' ? key.value : undefined;
}
