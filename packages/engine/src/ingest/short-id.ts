import { AppError } from '@agent-runtime/domain';

const MIN_PREFIX = 4;

/** May this text stand for that id? Compares what makes an id one of its kind: the noun before the underscore names none of them. */
export function fits(id: string, text: string): boolean {
  const own = id.slice(id.indexOf('_') + 1);
  const noun = id.slice(0, id.length - own.length);
  const bare = text.toLowerCase();
  const start = bare.startsWith(noun) ? bare.slice(noun.length) : bare;
  return start.length >= MIN_PREFIX && own.startsWith(start);
}

/** What to say when a text stands for nothing here, or for several. */
export function unclear(what: string, text: string, found: readonly string[]): AppError {
  if (found.length === 0) {
    return new AppError({
      code: 'ingest.id.missing',
      kind: 'missing',
      message: `There is no open ${what} "${text.slice(0, 40)}" here. /status lists what waits.`,
    });
  }
  return new AppError({
    code: 'ingest.id.conflict',
    kind: 'conflict',
    message: `"${text.slice(0, 40)}" fits several: ${found.slice(0, 5).join(', ')}.`,
  });
}
