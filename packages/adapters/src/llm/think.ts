/** One piece of an answer after its thoughts were taken out. */
export interface Spoken {
  readonly kind: 'text' | 'reasoning';
  readonly delta: string;
}

export interface ThinkFilter {
  push(delta: string): readonly Spoken[];
  /** What was held back, when the text ends. */
  end(): readonly Spoken[];
}

const OPEN = '<think>';
const CLOSE = '</think>';

/**
 * Keeps a `<think>…</think>` block at the head of a text out of it: some servers write thoughts into the answer.
 * Only the head counts, so that a text may speak about the tag. A block that is never closed is all thought.
 */
export function thinkFilter(): ThinkFilter {
  let state: 'head' | 'thinking' | 'gap' | 'text' = 'head';
  let held = '';

  const step = (): Spoken | undefined => {
    switch (state) {
      case 'head': {
        const start = held.trimStart();
        if (start.startsWith(OPEN)) {
          state = 'thinking';
          held = start.slice(OPEN.length);
          return { kind: 'reasoning', delta: '' };
        }
        if (OPEN.startsWith(start)) return undefined;
        state = 'text';
        return take('text', held.length);
      }
      case 'thinking': {
        const close = held.indexOf(CLOSE);
        if (close < 0) return take('reasoning', held.length - tailThatMayClose(held));
        const thought = take('reasoning', close);
        held = held.slice(CLOSE.length);
        state = 'gap';
        return thought ?? { kind: 'reasoning', delta: '' };
      }
      case 'gap':
        held = held.trimStart();
        if (held === '') return undefined;
        state = 'text';
        return take('text', held.length);
      case 'text':
        return take('text', held.length);
      default:
        return state satisfies never;
    }
  };
  const take = (kind: Spoken['kind'], chars: number): Spoken | undefined => {
    if (chars <= 0) return undefined;
    const delta = held.slice(0, chars);
    held = held.slice(chars);
    return { kind, delta };
  };
  const drain = (): readonly Spoken[] => {
    const spoken: Spoken[] = [];
    for (let next = step(); next !== undefined; next = step()) if (next.delta !== '') spoken.push(next);
    return spoken;
  };

  return {
    push: (delta) => {
      held += delta;
      return drain();
    },
    end: () => {
      const rest = held;
      held = '';
      return rest === '' ? [] : [{ kind: state === 'thinking' ? 'reasoning' : 'text', delta: rest }];
    },
  };
}

function tailThatMayClose(text: string): number {
  for (let length = Math.min(CLOSE.length - 1, text.length); length > 0; length -= 1) {
    if (CLOSE.startsWith(text.slice(-length))) return length;
  }
  return 0;
}
