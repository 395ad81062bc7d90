import { readFileSync } from 'node:fs';
import { Upload } from './body.ts';

/** `[type, 1 when required, allowed values]`; a type is `A|B`, `[]A` or a name. */
export type SpecField = readonly [type: string, required: number, allowed?: readonly string[]];

export type SpecFields = Readonly<Record<string, SpecField>>;

/** Machine-readable description of the Bot API. */
export interface TelegramSpec {
  readonly methods: Readonly<Record<string, { readonly f: SpecFields }>>;
  /** `f`: an object with these fields; `s`: one of these types. */
  readonly types: Readonly<Record<string, { readonly f?: SpecFields; readonly s?: readonly string[] }>>;
}

/** @param directory holds `telegram.json` @returns undefined when there is no such file */
export function readTelegramSpec(directory: string | undefined): TelegramSpec | undefined {
  if (directory === undefined) return undefined;
  let text: string;
  try {
    text = readFileSync(`${directory}/telegram.json`, 'utf8');
  } catch {
    return undefined;
  }
  return JSON.parse(text) as TelegramSpec; // safe: a file of the developer; a wrong one fails every test
}

const parsed = new Map<string, readonly string[]>();

/** The alternatives of a type. Cached: every field of every call asks. */
function alternatives(type: string): readonly string[] {
  const known = parsed.get(type);
  if (known !== undefined) return known;
  const list = type.split('|');
  parsed.set(type, list);
  return list;
}

/** Checks calls against a spec. */
export class SpecCheck {
  readonly #spec: TelegramSpec;
  readonly #isComplete: boolean;

  /** @param isComplete false: objects of types that the spec does not have are let through */
  constructor(spec: TelegramSpec, isComplete: boolean) {
    this.#spec = spec;
    this.#isComplete = isComplete;
  }

  /** Methods by their lower-case names; the server does not look at case. */
  methodNames(): ReadonlyMap<string, string> {
    return new Map(Object.keys(this.#spec.methods).map((name) => [name.toLowerCase(), name]));
  }

  fieldsOf(method: string): SpecFields {
    return this.#spec.methods[method]?.f ?? {};
  }

  /** What is wrong with a call; empty when nothing is. */
  problemsOf(method: string, params: Readonly<Record<string, unknown>>): readonly string[] {
    return this.#objectProblems(method, this.fieldsOf(method), params);
  }

  #objectProblems(path: string, fields: SpecFields, object: Readonly<Record<string, unknown>>): string[] {
    const problems: string[] = [];
    for (const name in object) {
      if (object[name] === undefined) continue;
      const field = Object.hasOwn(fields, name) ? fields[name] : undefined;
      if (field === undefined) problems.push(`${path}.${name} is unknown`);
      else problems.push(...this.#fieldProblems(`${path}.${name}`, field, object[name]));
    }
    for (const name in fields) {
      if (fields[name]?.[1] === 1 && object[name] === undefined) problems.push(`${path}.${name} is missing`);
    }
    return problems;
  }

  #fieldProblems(path: string, [type, , allowed]: SpecField, value: unknown): string[] {
    const problems = this.#typeProblems(path, type, value);
    if (problems.length > 0 || allowed === undefined || allowed.includes(String(value))) return problems;
    return [`${path} is none of ${allowed.slice(0, 12).join(', ')}`];
  }

  #typeProblems(path: string, type: string, value: unknown): string[] {
    const list = alternatives(type);
    const first = this.#oneTypeProblems(path, list[0] ?? '', value);
    if (first.length === 0 || list.length === 1) return first;
    const rest = list.slice(1).map((one) => this.#oneTypeProblems(path, one, value));
    if (rest.some((problems) => problems.length === 0)) return [];
    // The alternative that came closest says most.
    return [first, ...rest].sort((one, other) => nearness(one) - nearness(other))[0] ?? [];
  }

  #oneTypeProblems(path: string, type: string, value: unknown): string[] {
    if (type.startsWith('[]')) {
      if (!Array.isArray(value)) return [`${path} is no array`];
      return value.flatMap((item, index) => this.#typeProblems(`${path}[${index}]`, type.slice(2), item));
    }
    const isOk = primitiveCheck(type, value);
    if (isOk !== undefined) return isOk ? [] : [`${path} is no ${type}`];
    if (typeof value !== 'object' || value === null || Array.isArray(value)) return [`${path} is no ${type}`];
    const shape = this.#spec.types[type];
    const object = value as Readonly<Record<string, unknown>>; // safe: an object whose members are checked here
    if (shape?.s !== undefined) return this.#typeProblems(path, shape.s.join('|'), value);
    if (shape?.f !== undefined) return this.#objectProblems(path, shape.f, object);
    return this.#isComplete ? [`${path} has the unknown type ${type}`] : [];
  }
}

/** A wrong constant in `type` or `source` means: this alternative was not meant at all. */
function nearness(problems: readonly string[]): number {
  return problems.length + (problems.some((problem) => problem.includes(' is none of ')) ? 100 : 0);
}

function primitiveCheck(type: string, value: unknown): boolean | undefined {
  switch (type) {
    case 'Integer':
      return Number.isSafeInteger(value);
    case 'Float':
      return typeof value === 'number';
    case 'String':
      return typeof value === 'string';
    case 'Boolean':
      return typeof value === 'boolean';
    case 'True':
      return value === true;
    case 'InputFile':
      return value instanceof Upload;
    default:
      return undefined;
  }
}
