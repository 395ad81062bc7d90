import type { z } from 'zod';

type Issue = z.core.$ZodIssue;

const KINDS: Readonly<Record<string, string>> = {
  string: 'a text',
  number: 'a number',
  int: 'a whole number',
  boolean: 'true or false',
  array: 'a list',
  object: 'an object',
  record: 'an object',
};
const FORMATS: Readonly<Record<string, string>> = {
  datetime: 'must be an instant in UTC such as 2027-01-01T00:00:00Z',
  base64: 'must be base64',
  base64url: 'must be base64url',
};
/** More names than these make a sentence that nobody reads. */
const MAX_NAMES = 20;

/**
 * What is wrong with one member, in our own words; the parser's never reach a person.
 * @param root the value that was parsed, to tell what is missing from what is wrong
 * @returns the rest of a sentence that begins with the name of the member, e.g. `is missing`
 */
export function issueWords(issue: Issue, root: unknown): string {
  switch (issue.code) {
    case 'invalid_type':
      if (valueAt(root, issue.path) === undefined) return 'is missing';
      return `must be ${KINDS[issue.expected] ?? 'of another kind'}`;
    case 'too_small':
      return boundWords(issue.origin, Number(issue.minimum), 'least');
    case 'too_big':
      return boundWords(issue.origin, Number(issue.maximum), 'most');
    case 'unrecognized_keys':
      return `has unknown members: ${names(issue.keys)}`;
    case 'invalid_value':
      if (valueAt(root, issue.path) === undefined) return 'is missing';
      return issue.values.length === 1
        ? `must be ${String(issue.values[0])}`
        : `must be one of ${names(issue.values.map(String))}`;
    case 'invalid_format':
      return FORMATS[issue.format] ?? 'has not the right form';
    case 'custom':
      return issue.message === 'Invalid input' ? 'does not fit' : issue.message;
    default:
      return 'does not fit';
  }
}

function boundWords(origin: string, bound: number, end: 'least' | 'most'): string {
  if (origin === 'string') {
    if (end === 'least' && bound === 1) return 'must not be empty';
    return `must have at ${end} ${counted(bound, 'character')}`;
  }
  if (origin === 'array' || origin === 'set') {
    if (end === 'least' && bound === 1) return 'must not be empty';
    return `must have at ${end} ${counted(bound, 'item')}`;
  }
  return `must be ${bound} or ${end === 'least' ? 'more' : 'less'}`;
}

function counted(count: number, noun: string): string {
  return `${count} ${noun}${count === 1 ? '' : 's'}`;
}

function names(all: readonly string[]): string {
  const shown = all.slice(0, MAX_NAMES).map((name) => name.slice(0, 60));
  return `${shown.join(', ')}${all.length > MAX_NAMES ? ', …' : ''}`;
}

function valueAt(root: unknown, path: readonly PropertyKey[]): unknown {
  let value = root;
  for (const step of path) {
    if (typeof value !== 'object' || value === null || !Object.hasOwn(value, step)) return undefined;
    value = (value as Readonly<Record<PropertyKey, unknown>>)[step]; // safe: an own member of an object
  }
  return value;
}
