import { AppError, type LogFields, type Logger, type Redactor } from '@agent-runtime/domain';
import { type Logger as Pino, pino } from 'pino';

export interface LogConfig {
  readonly level: 'debug' | 'info' | 'warn' | 'error' | 'silent';
  readonly format: 'json' | 'pretty';
}

/** Log lines as JSON or for people. Every field and message passes the redactor first. */
export function systemLogger(
  config: LogConfig,
  redactor: Redactor,
  out: { write(line: string): unknown },
): Logger {
  const sink =
    config.format === 'pretty'
      ? { write: (line: string) => out.write(prettyLine(line)) }
      : { write: (line: string) => out.write(line) };
  const base = pino(
    {
      level: config.level,
      base: null,
      timestamp: pino.stdTimeFunctions.isoTime,
      formatters: { level: (label) => ({ level: label }) },
    },
    sink,
  );
  return wrap(base, redactor);
}

function wrap(log: Pino, redactor: Redactor): Logger {
  const clean = (fields: LogFields): object => redactor.value(withErrors(fields)) as object; // safe: an object in, an object out
  return {
    debug: (fields, message) => log.debug(clean(fields), redactor.text(message)),
    info: (fields, message) => log.info(clean(fields), redactor.text(message)),
    warn: (fields, message) => log.warn(clean(fields), redactor.text(message)),
    error: (fields, message) => log.error(clean(fields), redactor.text(message)),
    child: (fields) => wrap(log.child(clean(fields)), redactor),
  };
}

/** The log is where the inside of an error may be seen: code, detail, cause and stack become fields. */
function withErrors(fields: LogFields): object {
  return Object.fromEntries(
    Object.entries(fields).map(([key, value]) => [key, value instanceof Error ? errorFields(value) : value]),
  );
}

const MAX_CAUSES = 4;

function errorFields(error: Error, depth = 0): object {
  const own =
    error instanceof AppError
      ? { code: error.code, kind: error.kind, detail: error.detail }
      : { name: error.name, stack: error.stack };
  const cause =
    error.cause instanceof Error && depth < MAX_CAUSES ? { cause: errorFields(error.cause, depth + 1) } : {};
  return { ...own, text: error.message, ...cause };
}

/** `12:03:04 info  run started  run_id=run_…` */
function prettyLine(line: string): string {
  const { time, level, msg, ...fields } = JSON.parse(line) as Record<string, unknown>; // safe: pino wrote it
  const rest = Object.entries(fields).map(
    ([key, value]) => `${key}=${typeof value === 'string' ? value : JSON.stringify(value)}`,
  );
  return `${String(time).slice(11, 19)} ${String(level).padEnd(5)} ${String(msg)}${rest.length > 0 ? `  ${rest.join(' ')}` : ''}\n`;
}
