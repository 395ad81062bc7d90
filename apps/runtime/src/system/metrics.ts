import type { Metrics } from '@agent-runtime/domain';
import { Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from 'prom-client';

const BUCKETS_MS = [1, 5, 10, 50, 100, 500, 1000, 5000, 30_000, 120_000];

/**
 * Prometheus metrics behind the port, with those of the process itself. Instruments are made at first use and keep the label names of
 * that use. A measurement that does not fit is dropped and counted: measuring must not break what is measured.
 */
export function systemMetrics(): {
  readonly metrics: Metrics;
  readonly text: () => Promise<string>;
  readonly contentType: string;
} {
  const registry = new Registry();
  collectDefaultMetrics({ register: registry, prefix: 'agent_runtime_' });
  const dropped = new Counter({
    name: 'agent_runtime_metrics_dropped_total',
    help: 'measurements that did not fit their instrument',
    registers: [registry],
  });
  const measure = (act: () => void): void => {
    try {
      act();
    } catch {
      dropped.inc();
    }
  };
  const counters = new Map<string, Counter>();
  const gauges = new Map<string, Gauge>();
  const histograms = new Map<string, Histogram>();
  const settings = (name: string, labels: Readonly<Record<string, string>>) => ({
    name: `agent_runtime_${name}`,
    help: name.replaceAll('_', ' '),
    labelNames: Object.keys(labels),
    registers: [registry],
  });
  const counterOf = (name: string, labels: Readonly<Record<string, string>>): Counter => {
    const counter = counters.get(name) ?? new Counter(settings(name, labels));
    counters.set(name, counter);
    return counter;
  };
  const gaugeOf = (name: string, labels: Readonly<Record<string, string>>): Gauge => {
    const gauge = gauges.get(name) ?? new Gauge(settings(name, labels));
    gauges.set(name, gauge);
    return gauge;
  };
  const histogramOf = (name: string, labels: Readonly<Record<string, string>>): Histogram => {
    const histogram =
      histograms.get(name) ?? new Histogram({ ...settings(name, labels), buckets: BUCKETS_MS });
    histograms.set(name, histogram);
    return histogram;
  };
  const metrics: Metrics = {
    count: (name, labels = {}, by = 1) => measure(() => counterOf(name, labels).inc(labels, by)),
    gauge: (name, value, labels = {}) => measure(() => gaugeOf(name, labels).set(labels, value)),
    observe: (name, valueMs, labels = {}) =>
      measure(() => histogramOf(name, labels).observe(labels, valueMs)),
  };
  return { metrics, text: () => registry.metrics(), contentType: registry.contentType };
}
