import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Problem } from './refusal.ts';
import { type Schema, type Schemas, schemaChecker } from './schema.ts';

/** Name of the file in the directory of specifications. */
const FILE = 'discord.json';

interface SpecVerb {
  readonly body?: Schema;
  /** 1: a body must be there. */
  readonly req?: number;
  readonly res?: Schema;
}

interface SpecFile {
  readonly paths: Readonly<Record<string, Readonly<Record<string, SpecVerb>>>>;
  readonly schemas: Schemas;
}

/** The platform's own description of its API, by the path templates it uses. */
export interface Spec {
  /** Whether the platform has such a path, emulated or not. */
  isPath(method: string, path: string): boolean;
  checkBody(method: string, template: string, body: unknown): readonly Problem[];
  /** For the emulator's own answers. */
  checkAnswer(method: string, template: string, answer: unknown): readonly Problem[];
}

/** @param directory of the specifications. @returns undefined when the file is not there */
export function loadSpec(directory: string | undefined): Spec | undefined {
  if (directory === undefined || !existsSync(join(directory, FILE))) return undefined;
  const file = JSON.parse(readFileSync(join(directory, FILE), 'utf8')) as SpecFile; // safe: its form is known
  const check = schemaChecker(file.schemas);
  const verb = (method: string, template: string): SpecVerb | undefined =>
    file.paths[template]?.[method.toLowerCase()];
  return {
    isPath: (method, path) =>
      Object.keys(file.paths).some(
        (template) => fits(template, path) && verb(method, template) !== undefined,
      ),
    checkBody: (method, template, body) => {
      const known = verb(method, template);
      if (known === undefined)
        return [{ at: [], code: 'PATH', message: `The specification lacks ${method} ${template}` }];
      if (known.body === undefined) return [];
      if (body !== undefined) return check(known.body, body);
      return known.req === 1 ? [{ at: [], code: 'BASE_TYPE_REQUIRED', message: 'A body is required' }] : [];
    },
    checkAnswer: (method, template, answer) => {
      const schema = verb(method, template)?.res;
      return schema === undefined || answer === undefined ? [] : check(schema, answer);
    },
  };
}

function fits(template: string, path: string): boolean {
  const parts = path.split('/');
  const expected = template.split('/');
  return (
    parts.length === expected.length &&
    expected.every((part, index) => part === parts[index] || (part.startsWith('{') && parts[index] !== ''))
  );
}
