import type { Problem } from './refusal.ts';

/** The keywords of JSON schema that occur in the platform's specification. */
export interface Schema {
  readonly $ref?: string;
  readonly type?: string | readonly string[];
  readonly format?: string;
  readonly const?: unknown;
  readonly enum?: readonly unknown[];
  readonly oneOf?: readonly Schema[];
  readonly anyOf?: readonly Schema[];
  readonly allOf?: readonly Schema[];
  readonly properties?: Readonly<Record<string, Schema>>;
  readonly additionalProperties?: boolean | Schema;
  readonly required?: readonly string[];
  readonly items?: Schema;
  readonly minLength?: number;
  readonly maxLength?: number;
  readonly minimum?: number;
  readonly maximum?: number;
  readonly minItems?: number;
  readonly maxItems?: number;
  readonly minProperties?: number;
  readonly maxProperties?: number;
  readonly uniqueItems?: boolean;
  readonly pattern?: string;
}

export type Schemas = Readonly<Record<string, Schema>>;

/** Checks values against schemas that refer to each other by name. */
export function schemaChecker(schemas: Schemas): (schema: Schema, value: unknown) => readonly Problem[] {
  const patterns = new Map<string, RegExp>();
  const patternOf = (source: string): RegExp => {
    const known = patterns.get(source) ?? new RegExp(source, 'u');
    patterns.set(source, known);
    return known;
  };

  const check = (schema: Schema, value: unknown, at: readonly string[]): Problem[] => {
    const problem = (message: string, code = 'SCHEMA'): Problem => ({ at, code, message });
    if (schema.$ref !== undefined) {
      const name = schema.$ref.slice(schema.$ref.lastIndexOf('/') + 1);
      const target = schemas[name];
      return target === undefined ? [problem(`The specification lacks ${name}`)] : check(target, value, at);
    }
    if (schema.type !== undefined && !fitsType(schema.type, value)) {
      return [problem(`Must be ${String(schema.type)}, is ${kindOf(value)}`, 'BASE_TYPE_BAD_TYPE')];
    }
    const found: Problem[] = [];
    if (schema.const !== undefined && value !== schema.const)
      found.push(problem(`Must be ${String(schema.const)}`));
    if (schema.enum !== undefined && !schema.enum.includes(value)) {
      found.push(problem(`Must be one of ${schema.enum.join(', ')}`, 'BASE_TYPE_CHOICES'));
    }
    for (const part of schema.allOf ?? []) found.push(...check(part, value, at));
    // More than one branch of a `oneOf` may fit on the real platform too (integer and number), so one is enough.
    const branches = schema.oneOf ?? schema.anyOf;
    if (branches !== undefined) {
      found.push(...nearest(branches, (branch) => check(branch, value, at), at.length));
    }
    if (typeof value === 'string') found.push(...checkText(schema, value, at, patternOf));
    if (typeof value === 'number') found.push(...checkNumber(schema, value, at));
    if (Array.isArray(value)) found.push(...checkList(schema, value, at, check));
    else if (typeof value === 'object' && value !== null) {
      found.push(...checkMembers(schema, value as Record<string, unknown>, at, check)); // safe: neither null nor a list
    }
    return found;
  };
  return (schema, value) => check(schema, value, []);
}

type Check = (schema: Schema, value: unknown, at: readonly string[]) => Problem[];

/** None if a branch fits, otherwise the problems of the branch that was meant: its type is right, then the fewest. */
function nearest(
  branches: readonly Schema[],
  check: (branch: Schema) => Problem[],
  depth: number,
): Problem[] {
  const results: Problem[][] = [];
  for (const branch of branches) {
    const problems = check(branch);
    if (problems.length === 0) return [];
    results.push(problems);
  }
  const isOther = (problems: readonly Problem[]): boolean =>
    problems.some(({ at }) => at.length === depth || (at.length === depth + 1 && at[depth] === 'type'));
  const rank = (problems: readonly Problem[]): number =>
    problems.length + (isOther(problems) ? 1_000_000 : 0);
  const [best = []] = results.toSorted((left, right) => rank(left) - rank(right));
  return best;
}

function fitsType(type: string | readonly string[], value: unknown): boolean {
  const kind = kindOf(value);
  const isOne = (name: string): boolean => name === kind || (name === 'number' && kind === 'integer');
  return typeof type === 'string' ? isOne(type) : type.some(isOne);
}

function kindOf(value: unknown): string {
  if (value === null) return 'null';
  if (Array.isArray(value)) return 'array';
  return Number.isInteger(value) ? 'integer' : typeof value;
}

function checkText(
  { minLength, maxLength, pattern, format }: Schema,
  value: string,
  at: readonly string[],
  patternOf: (source: string) => RegExp,
): Problem[] {
  const found: Problem[] = [];
  const length = maxLength === undefined && minLength === undefined ? 0 : charactersOf(value);
  if (maxLength !== undefined && length > maxLength) {
    found.push({ at, code: 'BASE_TYPE_MAX_LENGTH', message: `Must be ${maxLength} or fewer in length.` });
  }
  if (minLength !== undefined && length < minLength) {
    found.push({ at, code: 'BASE_TYPE_MIN_LENGTH', message: `Must be ${minLength} or more in length.` });
  }
  if (pattern !== undefined && !patternOf(pattern).test(value)) {
    found.push({ at, code: 'BASE_TYPE_REGEX', message: `Must match ${pattern}` });
  }
  if (format === 'uri' && !URL.canParse(value)) {
    found.push({ at, code: 'URL_TYPE_INVALID_URL', message: 'Not a well formed URL.' });
  }
  if (format === 'date-time' && Number.isNaN(Date.parse(value))) {
    found.push({ at, code: 'DATE_TIME_TYPE_PARSE', message: 'Not a time in ISO 8601.' });
  }
  return found;
}

/** Length as the platform counts it: code points. */
export function charactersOf(text: string): number {
  let count = 0;
  for (const _ of text) count += 1;
  return count;
}

function checkNumber({ minimum, maximum, format }: Schema, value: number, at: readonly string[]): Problem[] {
  const low = minimum ?? (format === 'int32' ? -(2 ** 31) : Number.NEGATIVE_INFINITY);
  const high = maximum ?? (format === 'int32' ? 2 ** 31 - 1 : Number.POSITIVE_INFINITY);
  return value < low || value > high
    ? [{ at, code: 'NUMBER_TYPE_RANGE', message: `Must be from ${low} to ${high}` }]
    : [];
}

function checkList(
  schema: Schema,
  value: readonly unknown[],
  at: readonly string[],
  check: Check,
): Problem[] {
  const { minItems = 0, maxItems = Number.POSITIVE_INFINITY, uniqueItems, items } = schema;
  const found: Problem[] = [];
  if (value.length < minItems || value.length > maxItems) {
    found.push({
      at,
      code: 'BASE_TYPE_BAD_LENGTH',
      message: `Must be between ${minItems} and ${maxItems} in length.`,
    });
  }
  if (uniqueItems === true && new Set(value.map((one) => JSON.stringify(one))).size < value.length) {
    found.push({ at, code: 'SET_TYPE_ALREADY_CONTAINS_VALUE', message: 'Must not repeat a value.' });
  }
  if (items !== undefined)
    value.forEach((one, index) => void found.push(...check(items, one, [...at, String(index)])));
  return found;
}

function checkMembers(
  schema: Schema,
  value: Readonly<Record<string, unknown>>,
  at: readonly string[],
  check: Check,
): Problem[] {
  const { properties = {}, required = [], additionalProperties, minProperties = 0 } = schema;
  const names = Object.keys(value);
  const found: Problem[] = required
    .filter((name) => value[name] === undefined)
    .map((name) => ({ at: [...at, name], code: 'BASE_TYPE_REQUIRED', message: 'This field is required' }));
  if (names.length < minProperties || names.length > (schema.maxProperties ?? Number.POSITIVE_INFINITY)) {
    found.push({ at, code: 'BASE_TYPE_BAD_LENGTH', message: `Has ${names.length} members` });
  }
  for (const name of names) {
    const known = Object.hasOwn(properties, name) ? properties[name] : undefined;
    if (known !== undefined) found.push(...check(known, value[name], [...at, name]));
    else if (additionalProperties === false)
      found.push({ at: [...at, name], code: 'SCHEMA', message: 'Not known here' });
    else if (typeof additionalProperties === 'object') {
      found.push(...check(additionalProperties, value[name], [...at, name]));
    }
  }
  return found;
}
