import { applyTextEvent, type LiveFeed, type RunId } from '@agent-runtime/domain';

/** Answers that are being written now, as people may see them. Unjournalled: after a restart they begin again. */
export interface LiveTexts {
  /** Empty when nothing is being written. */
  textOf(run: RunId): string;
  close(): void;
}

/** More than this many answers at once means that ends were missed; the oldest are forgotten. */
const MAX_TEXTS = 1_000;

/**
 * Follows the `text` events of every run, so that a stream that joins late can begin with what is there. An event holds the whole
 * filtered answer so far, or with `offset` what replaces it from that character on. A change of state (it began, it ended) starts over.
 */
export function liveTexts(live: LiveFeed): LiveTexts {
  const texts = new Map<string, string>();
  const leave = live.subscribe('*', ({ topic, kind, data }) => {
    if (kind === 'state') texts.delete(topic);
    if (kind !== 'text') return;
    const { offset, text } = data;
    if (typeof text !== 'string') return;
    const at = typeof offset === 'number' ? offset : 0;
    texts.set(topic, applyTextEvent(texts.get(topic) ?? '', { offset: at, text }));
    if (texts.size <= MAX_TEXTS) return;
    const oldest = texts.keys().next();
    if (oldest.value !== undefined) texts.delete(oldest.value);
  });
  return {
    textOf: (run) => texts.get(run) ?? '',
    close: () => {
      leave();
      texts.clear();
    },
  };
}
