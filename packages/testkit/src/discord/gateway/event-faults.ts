import type { WorldEvent } from '../world/world.ts';

/** Repeats and turns round events on their way out. */
export interface EventFaults {
  duplicate(events: number): void;
  reorder(events: number): void;
  /** What goes out now, in this order; events that are kept back come with a later call. */
  pass(event: WorldEvent): readonly WorldEvent[];
}

export function eventFaults(): EventFaults {
  let repeats = 0;
  let batchSize = 0;
  let batch: WorldEvent[] = [];
  return {
    duplicate: (events) => {
      repeats += events;
    },
    reorder: (events) => {
      batchSize = events;
    },
    pass: (event) => {
      const copies = repeats > 0 ? [event, event] : [event];
      repeats = Math.max(0, repeats - 1);
      if (batchSize === 0) return copies;
      batch.unshift(...copies);
      batchSize -= 1;
      if (batchSize > 0) return [];
      const out = batch;
      batch = [];
      return out;
    },
  };
}
