import type { Clock } from '@agent-runtime/domain';

/** Which delivery made which message, of this process: what is known to be of another one is not mistaken for a lost one. */
export interface SentLately {
  began(nonce: string): void;
  made(nonce: string, message: string): void;
  isOther(nonce: string, message: string): boolean;
  /** Nothing of this delivery can have been tried after this instant, epoch ms. */
  triedAt(nonce: string): number;
}

const MAX_REMEMBERED = 2_000;

export function sentLately(clock: Clock): SentLately {
  const startedAt = clock.nowMs();
  const tried = new Map<string, number>();
  const messages = new Map<string, string>();
  const keep = <V>(map: Map<string, V>, key: string, value: V): void => {
    map.set(key, value);
    const [oldest] = map.keys();
    if (map.size > MAX_REMEMBERED && oldest !== undefined) map.delete(oldest);
  };
  return {
    began: (nonce) => keep(tried, nonce, clock.nowMs()),
    made: (nonce, message) => keep(messages, message, nonce),
    isOther: (nonce, message) => messages.has(message) && messages.get(message) !== nonce,
    triedAt: (nonce) => tried.get(nonce) ?? startedAt,
  };
}
