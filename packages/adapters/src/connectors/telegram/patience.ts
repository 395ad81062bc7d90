import { AppError, type Clock, cutText, type Logger } from '@agent-runtime/domain';
import type { Alarms } from './alarms.ts';
import type { TelegramClient } from './client.ts';
import { refusalOf } from './fault.ts';

/** What somebody needs who asks until there is an answer. */
export interface Patience {
  readonly client: TelegramClient;
  readonly clock: Clock;
  readonly alarms: Alarms;
  readonly log: Logger;
  readonly signal: AbortSignal;
}

export const FIRST_WAIT_MS = 1_000;
/** Once the line or the disk is back, nobody waits longer than this for his words to be heard. */
const LONGEST_WAIT_MS = 8_000;
/** How often somebody looks whether a refused token was replaced. */
const TOKEN_LOOK_MS = 5_000;

const CONFLICT =
  'Somebody else asks Telegram with the token of this bot, or has set a webhook. If it is none of your own processes, revoke the token.';
const UNREACHABLE = 'Telegram cannot be reached; it is tried again and again.';

const MAX_WORDS_CHARS = 200;

/** The wait after a wait: doubled, up to eight seconds. */
export function nextWaitMs(waitMs: number): number {
  return Math.min(LONGEST_WAIT_MS, waitMs * 2);
}

/** Does it until it works. @returns undefined when the signal aborted before */
export async function untilDone<T>(parts: Patience, work: () => Promise<T>): Promise<T | undefined> {
  for (let waitMs = FIRST_WAIT_MS; !parts.signal.aborted; waitMs = nextWaitMs(waitMs)) {
    try {
      const result = await work();
      parts.alarms.clear('line');
      return result;
    } catch (thrown) {
      await parts.clock.sleep(await waitAfter(parts, thrown, waitMs), parts.signal);
    }
  }
  return undefined;
}

/**
 * What a question that failed means. While the token is refused nothing more is asked: that lasts until there is another one.
 * @returns how long to wait before the next question
 */
export async function waitAfter(parts: Patience, thrown: unknown, waitMs: number): Promise<number> {
  const { client, clock, alarms, log, signal } = parts;
  if (signal.aborted) return 0;
  if (client.isRefused()) {
    while (!signal.aborted && client.isRefused()) await clock.sleep(TOKEN_LOOK_MS, signal);
    return 0;
  }
  if (refusalOf(thrown)?.status === 404) await checkToken(parts);
  const fault = thrown instanceof AppError ? thrown : undefined;
  const status = refusalOf(thrown)?.status;
  log.warn({ status, code: fault?.code, wait_ms: waitMs }, 'Telegram was asked in vain.');
  if (fault?.kind === 'exhausted') return fault.retryAfterMs ?? waitMs;
  if (status === 409) alarms.raise('line', CONFLICT);
  else if (fault?.kind === 'rejected') alarms.raise('line', refusedWords(thrown));
  // One question that got lost is no trouble yet.
  else if (waitMs > FIRST_WAIT_MS) alarms.raise('line', UNREACHABLE);
  return waitMs;
}

/** A 404 may mean that there is no such bot any more: this question knows. */
async function checkToken({ client, signal }: Patience): Promise<void> {
  await client
    .call({ scope: 'method getMe', signal, isCounted: false }, (api, abort) => api.getMe(abort))
    .catch(() => {});
}

/** In Telegram's own words: what was asked here holds no words of people. */
function refusedWords(thrown: unknown): string {
  const { status, description } = refusalOf(thrown) ?? {};
  return `Telegram refuses what was asked to be connected (${status}): ${cutText(description ?? '', MAX_WORDS_CHARS)}. It is tried again and again.`;
}

/** Whether it ends within a time; how it ends does not matter. */
export async function isOverWithin(clock: Clock, work: Promise<unknown>, ms: number): Promise<boolean> {
  const timer = new AbortController();
  const isOver = await Promise.race([work.then(() => true), clock.sleep(ms, timer.signal).then(() => false)]);
  timer.abort();
  return isOver;
}
