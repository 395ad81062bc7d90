import type { RawParams, Upload } from './body.ts';
import type { SpecFields } from './spec.ts';

/** Parameters of a call; which types they have is what the spec says. */
export type Params = Readonly<Record<string, unknown>>;

/** Values of forms get the types that the method wants, files take the place of what refers to them. */
export function coerceParams({ isTyped, values, files }: RawParams, fields: SpecFields): Params {
  if (isTyped) return withoutNulls(values);
  const params: Record<string, unknown> = {};
  for (const [name, value] of Object.entries(values)) {
    const type = fields[name]?.[0];
    params[name] = typeof value === 'string' && type !== undefined ? typed(value, type, files) : value;
  }
  for (const [name, file] of files) if (fields[name]?.[0].includes('InputFile')) params[name] = file;
  return params;
}

function withoutNulls(values: Params): Params {
  const entries = Object.entries(values);
  return entries.some(([, value]) => value === null)
    ? Object.fromEntries(entries.filter(([, value]) => value !== null))
    : values;
}

function typed(value: string, type: string, files: ReadonlyMap<string, Upload>): unknown {
  if (type.includes('InputFile')) return uploadOf(value, files) ?? value;
  if (type.startsWith('Integer') || type === 'Float')
    return /^-?\d+(\.\d+)?$/.test(value) ? Number(value) : value;
  if (type === 'Boolean')
    return /^(true|1|yes)$/i.test(value) ? true : /^(false|0|no)?$/i.test(value) ? false : value;
  if (type === 'String') return value;
  try {
    return JSON.parse(value) as unknown;
  } catch {
    // Stays text, and the check of its type refuses it.
    return value;
  }
}

function uploadOf(value: string, files: ReadonlyMap<string, Upload>): Upload | undefined {
  return value.startsWith('attach://') ? files.get(value.slice('attach://'.length)) : undefined;
}
