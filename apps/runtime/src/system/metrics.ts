import type { Metrics } from '@agent-runtime/domain';
import { Counter, Gauge, Histogram, Registry } from 'prom-client';

/** Prometheus metrics behind the port. Instruments are made at first use; each has the label names of that use. */
export function systemMetrics(): {
  readonly metrics: Metrics;
  readonly text: () => Promise<string>;
  readonly contentType: string;
} {
  const registry = new Registry();
  const counters = new Map<string, Counter>();
  const gauges = new Map<string, Gauge>();
  const histograms = new Map<string, Histogram>();
  const settings = (name: string, labels: Readonly<Record<string, string>>) => ({
    name: `agent_runtime_${name}`,
    help: name.replaceAll('_', ' '),
    labelNames: Object.keys(labels),
    registers: [registry],
  });
  const metrics: Metrics = {
    count(name, labels = {}, by = 1) {
      const counter = counters.get(name) ?? new Counter(settings(name, labels));
      counters.set(name, counter);
      counter.inc(labels, by);
    },
    gauge(name, value, labels = {}) {
      const gauge = gauges.get(name) ?? new Gauge(settings(name, labels));
      gauges.set(name, gauge);
      gauge.set(labels, value);
    },
    observe(name, valueMs, labels = {}) {
      const histogram =
        histograms.get(name) ??
        new Histogram({
          ...settings(name, labels),
          buckets: [1, 5, 10, 50, 100, 500, 1000, 5000, 30_000, 120_000],
        });
      histograms.set(name, histogram);
      histogram.observe(labels, valueMs);
    },
  };
  return { metrics, text: () => registry.metrics(), contentType: registry.contentType };
}
