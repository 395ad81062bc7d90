import type { LogFields, Logger, Metrics } from '@agent-runtime/domain';

export type LogLevel = 'debug' | 'info' | 'warn' | 'error';
export interface LogLine {
  readonly level: LogLevel;
  readonly fields: LogFields;
  readonly message: string;
}

export interface RecordingLogger extends Logger {
  /** Lines of this logger and of all its children, oldest first. */
  readonly lines: readonly LogLine[];
  /** Everything that was logged as one text, for canary searches. */
  dump(): string;
}

/** A logger that keeps its lines. */
export function recordingLogger(): RecordingLogger {
  const lines: LogLine[] = [];
  return recorder(lines, {});
}

function recorder(lines: LogLine[], base: LogFields): RecordingLogger {
  const write = (level: LogLevel) => (fields: LogFields, message: string) => {
    lines.push({ level, fields: { ...base, ...fields }, message });
  };
  return {
    debug: write('debug'),
    info: write('info'),
    warn: write('warn'),
    error: write('error'),
    child: (fields) => recorder(lines, { ...base, ...fields }),
    lines,
    dump: () => lines.map((line) => JSON.stringify(line, plain)).join('\n'),
  };
}

function plain(_key: string, value: unknown): unknown {
  return value instanceof Error ? { name: value.name, message: value.message, stack: value.stack } : value;
}

/** Metrics that nobody reads. */
export const noMetrics: Metrics = { count: () => {}, gauge: () => {}, observe: () => {} };

export interface RecordingMetrics extends Metrics {
  /** Sum of a counter over all its labels. */
  total(name: string): number;
  readonly gauges: ReadonlyMap<string, number>;
}

/** Metrics that a test can ask. */
export function recordingMetrics(): RecordingMetrics {
  const totals = new Map<string, number>();
  const gauges = new Map<string, number>();
  return {
    count: (name, _labels, by = 1) => void totals.set(name, (totals.get(name) ?? 0) + by),
    gauge: (name, value) => void gauges.set(name, value),
    observe: () => {},
    total: (name) => totals.get(name) ?? 0,
    gauges,
  };
}
