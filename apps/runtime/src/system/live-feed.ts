import type { LiveEvent, LiveFeed } from '@agent-runtime/domain';

/** In-memory feed. A listener that throws is dropped, so that one broken stream cannot stop a run. */
export function systemLiveFeed(): LiveFeed {
  const byTopic = new Map<string, Set<(event: LiveEvent) => void>>();
  return {
    publish(event) {
      for (const topic of [event.topic, '*']) {
        for (const listener of [...(byTopic.get(topic) ?? [])]) {
          try {
            listener(event);
          } catch {
            byTopic.get(topic)?.delete(listener);
          }
        }
      }
    },
    subscribe(topic, listener) {
      const listeners = byTopic.get(topic) ?? new Set();
      byTopic.set(topic, listeners.add(listener));
      return () => {
        listeners.delete(listener);
        if (listeners.size === 0 && byTopic.get(topic) === listeners) byTopic.delete(topic);
      };
    },
  };
}
