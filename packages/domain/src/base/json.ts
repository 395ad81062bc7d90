import { AppError } from './error.ts';

/** A JSON value. Undefined members are absent. */
export type Json =
  | string
  | number
  | boolean
  | null
  | readonly Json[]
  | { readonly [key: string]: Json | undefined };
export type JsonObject = { readonly [key: string]: Json | undefined };

/**
 * Canonical JSON by RFC 8785: members sorted by UTF-16 code units, ES number form, no white space.
 * Equal values give equal bytes on every machine, which is what digests and signatures need.
 * @throws AppError base.json.invalid for NaN, infinities, lone surrogates, cycles and non-JSON values
 */
export function canonicalJson(value: Json): string {
  return write(value, 0);
}

const MAX_DEPTH = 200;

function write(value: Json | undefined, depth: number): string {
  if (depth > MAX_DEPTH) throw invalid('nested too deeply');
  if (value === null || typeof value === 'boolean') return String(value);
  if (typeof value === 'number') {
    if (!Number.isFinite(value)) throw invalid('a number that is not finite');
    return JSON.stringify(value);
  }
  if (typeof value === 'string') {
    if (!value.isWellFormed()) throw invalid('a lone surrogate');
    return JSON.stringify(value);
  }
  // Array.from: `map` would skip the holes of a sparse array and make text that is no JSON.
  if (isJsonArray(value)) return `[${Array.from(value, (item) => write(item, depth + 1)).join(',')}]`;
  if (typeof value === 'object') return writeObject(value, depth);
  throw invalid(`a ${typeof value}`);
}

function writeObject(value: JsonObject, depth: number): string {
  // A Date, Map or Buffer would silently become `{}` or a list of indexes, and two different values would share one digest.
  const prototype: unknown = Object.getPrototypeOf(value);
  if (prototype !== Object.prototype && prototype !== null) throw invalid('an object that is not plain');
  const members: string[] = [];
  for (const key of Object.keys(value).sort()) {
    const member = value[key];
    if (member === undefined) continue;
    members.push(`${write(key, depth)}:${write(member, depth + 1)}`);
  }
  return `{${members.join(',')}}`;
}

function isJsonArray(value: Json | undefined): value is readonly Json[] {
  return Array.isArray(value);
}

function invalid(what: string): AppError {
  return new AppError({
    code: 'base.json.invalid',
    kind: 'invalid',
    message: `This value has no canonical JSON form: ${what}.`,
  });
}
