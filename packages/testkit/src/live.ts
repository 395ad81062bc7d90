import type { LiveEvent, LiveFeed } from '@agent-runtime/domain';

export interface MemoryLiveFeed extends LiveFeed {
  /** Everything that was published, oldest first. */
  readonly events: readonly LiveEvent[];
  /** Listeners at this moment, over all topics. */
  readonly listeners: number;
}

/** A feed inside one process; a listener that throws does not stop the others. */
export function memoryLiveFeed(): MemoryLiveFeed {
  const events: LiveEvent[] = [];
  const topics = new Map<string, Set<(event: LiveEvent) => void>>();
  return {
    publish: (event) => {
      events.push(event);
      for (const listener of [...(topics.get(event.topic) ?? [])]) {
        try {
          listener(event);
        } catch {
          // A watcher's own trouble is not the publisher's.
        }
      }
    },
    subscribe: (topic, listener) => {
      // Wrapped, so that subscribing one function twice makes two listeners.
      const own = (event: LiveEvent): void => listener(event);
      const listeners = topics.get(topic) ?? new Set();
      topics.set(topic, listeners.add(own));
      return () => {
        listeners.delete(own);
        if (listeners.size === 0) topics.delete(topic);
      };
    },
    events,
    get listeners() {
      return [...topics.values()].reduce((sum, listeners) => sum + listeners.size, 0);
    },
  };
}
