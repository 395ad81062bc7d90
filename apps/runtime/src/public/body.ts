import { AppError, MAX_BODY_BYTES } from '@agent-runtime/domain';
import { readBody } from '../system/read-body.ts';

/** Brackets inside brackets; deeper JSON could exhaust the stack of whoever walks it. */
const MAX_DEPTH = 64;

/**
 * Reads a JSON body, counting while it arrives: a caller that sends more than it announced is cut off at the limit.
 * @throws AppError public.size.invalid (answered with 413), public.body.invalid (not UTF-8, not JSON, too deep)
 */
export async function readJson(request: Request): Promise<unknown> {
  const bytes = await readBody(request, tooLarge);
  let text: string;
  try {
    text = new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch {
    throw invalid('The body is not valid UTF-8.');
  }
  if (isTooDeep(text)) throw invalid(`The body has more than ${MAX_DEPTH} levels of brackets.`);
  try {
    return JSON.parse(text);
  } catch {
    throw invalid('The body is not valid JSON.');
  }
}

/** True when the refusal is about size, which HTTP has a status for. */
export function isTooLarge(error: AppError): boolean {
  return error.code === 'public.size.invalid';
}

/** Counts brackets outside of strings; does not care whether the rest is JSON. */
function isTooDeep(text: string): boolean {
  let depth = 0;
  let isInString = false;
  for (let at = 0; at < text.length; at += 1) {
    const char = text[at];
    if (isInString) {
      if (char === '\\') at += 1;
      else if (char === '"') isInString = false;
    } else if (char === '"') isInString = true;
    else if (char === '[' || char === '{') {
      depth += 1;
      if (depth > MAX_DEPTH) return true;
    } else if (char === ']' || char === '}') depth -= 1;
  }
  return false;
}

function tooLarge(): AppError {
  return new AppError({
    code: 'public.size.invalid',
    kind: 'invalid',
    message: `The body is larger than ${MAX_BODY_BYTES} bytes (1 MiB).`,
  });
}

function invalid(message: string): AppError {
  return new AppError({ code: 'public.body.invalid', kind: 'invalid', message });
}
