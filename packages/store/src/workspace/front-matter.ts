import { AppError } from '@agent-runtime/domain';
import { isMap, parseDocument } from 'yaml';
import type { z } from 'zod';

/** A Markdown text in its two parts. */
export interface FrontMatter {
  /** Undefined when the text has none. */
  readonly yaml: string | undefined;
  readonly body: string;
}

const MAX_YAML_CHARS = 16_000;

/** Splits at a leading `---` line and the next one. Nothing else opens front matter: `---js` is text. */
export function splitFrontMatter(text: string): FrontMatter {
  const match = /^\uFEFF?---[ \t]*\r?\n([\s\S]*?)(?:^|\r?\n)---[ \t]*(?:\r?\n|$)/m.exec(text);
  if (match === null || match.index !== 0) return { yaml: undefined, body: text };
  return { yaml: match[1] ?? '', body: text.slice(match[0].length) };
}

/**
 * Reads front matter by a strict schema. Plain data only: no tags, no aliases, no merge keys, nothing is executed.
 * @returns undefined when there is none
 * @throws AppError workspace.front_matter.invalid with what to change
 */
export function readFrontMatter<S extends z.ZodType>(text: string, schema: S): z.output<S> | undefined {
  const { yaml } = splitFrontMatter(text);
  if (yaml === undefined) return undefined;
  const parsed = schema.safeParse(parseYaml(yaml));
  if (parsed.success) return parsed.data;
  const places = parsed.error.issues
    .slice(0, 3)
    .map((issue) => `${issue.path.join('.') || 'front matter'}: ${issue.message}`);
  throw invalid(places.join('; '));
}

function parseYaml(yaml: string): unknown {
  if (yaml.length > MAX_YAML_CHARS) throw invalid(`it is longer than ${MAX_YAML_CHARS} characters`);
  if (yaml.trim() === '') return {};
  const document = parseDocument(yaml, {
    schema: 'core',
    version: '1.2',
    merge: false,
    strict: true,
    uniqueKeys: true,
    prettyErrors: false,
    customTags: [],
    logLevel: 'silent',
  });
  const problem = document.errors[0] ?? document.warnings[0];
  if (problem !== undefined) throw invalid(problem.message.slice(0, 200));
  if (!isMap(document.contents)) throw invalid('it is not a list of `name: value` lines');
  try {
    return document.toJS({ maxAliasCount: 0 });
  } catch (cause) {
    throw invalid('aliases are not allowed', cause);
  }
}

function invalid(what: string, cause?: unknown): AppError {
  return new AppError({
    code: 'workspace.front_matter.invalid',
    kind: 'invalid',
    message: `The front matter cannot be used: ${what}.`,
    cause,
  });
}
