import { z } from 'zod';
import { FIRST_WAIT_MS, nextWaitMs, type Patience, waitAfter } from './patience.ts';
import { ALLOWED_UPDATES } from './update.ts';

export interface PollParts extends Patience {
  /** Resolves soon, whatever is stuck. @returns false when some of it is durable nowhere: then it is asked for again */
  readonly take: (updates: readonly unknown[]) => Promise<boolean>;
}

/** What is not durable yet is asked for again so soon because somebody may want to stop everything. */
const AGAIN_MS = 500;
const LONG_POLL_SECONDS = 30;
const POLL_TIMEOUT_MS = (LONG_POLL_SECONDS + 10) * 1_000;
/** Ids begin anew only after days without updates; a confirmation so old would confirm what nobody has seen. */
const OFFSET_LIFE_MS = 3_600_000;

interface Confirmation {
  readonly offset: number;
  readonly madeAtMs: number;
}

/**
 * Asks for updates until the signal aborts, one question at a time. A batch is confirmed only when all of it is durable, and the
 * confirmation is sent with the next questions until one comes back empty: then it is dropped, because ids may begin anew, lower.
 */
export async function pollUpdates(parts: PollParts): Promise<void> {
  const { clock, signal } = parts;
  let confirmation: Confirmation | undefined;
  let waitMs = FIRST_WAIT_MS;
  while (!signal.aborted) {
    const askedAtMs = clock.monotonicMs();
    if (confirmation !== undefined && askedAtMs - confirmation.madeAtMs > OFFSET_LIFE_MS)
      confirmation = undefined;
    const updates = await ask(parts, confirmation?.offset).catch((thrown: unknown) =>
      waitAfter(parts, thrown, waitMs),
    );
    if (typeof updates === 'number') {
      await clock.sleep(updates, signal);
      waitMs = nextWaitMs(waitMs);
      continue;
    }
    parts.alarms.clear('line');
    waitMs = FIRST_WAIT_MS;
    const isDurable = updates.length > 0 ? await parts.take(updates) : true;
    if (!isDurable) {
      await clock.sleep(AGAIN_MS, signal);
      continue;
    }
    confirmation =
      updates.length > 0 ? { offset: offsetAfter(updates), madeAtMs: clock.monotonicMs() } : undefined;
    // A server that answers "nothing" at once would be asked thousands of times a second.
    if (updates.length === 0) await clock.sleep(FIRST_WAIT_MS - (clock.monotonicMs() - askedAtMs), signal);
  }
}

const batch = z.array(z.object({ update_id: z.int() }).loose());
type Batch = z.infer<typeof batch>;

async function ask({ client, signal }: PollParts, offset: number | undefined): Promise<Batch> {
  const updates = await client.call(
    { scope: 'method getUpdates', signal, timeoutMs: POLL_TIMEOUT_MS, isCounted: false },
    (api, abort) =>
      api.raw.getUpdates(
        {
          timeout: LONG_POLL_SECONDS,
          allowed_updates: ALLOWED_UPDATES,
          ...(offset === undefined ? {} : { offset }),
        },
        abort,
      ),
  );
  return batch.parse(updates);
}

/** Follows the last one, also downwards: in a batch in which ids begin anew, what nobody has seen yet comes after it. */
function offsetAfter(updates: Batch): number {
  return (updates.at(-1)?.update_id ?? 0) + 1;
}
