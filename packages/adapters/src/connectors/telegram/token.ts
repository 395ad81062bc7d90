import { z } from 'zod';
import { OWN_NAME } from './client.ts';
import type { Patience } from './patience.ts';

const LOOK_MS = 5_000;
const FIRST_WAIT_MS = 30_000;
const LONGEST_WAIT_MS = 600_000;

const me = z.object({ username: z.string() });

/** The name of the bot, without the `@`. */
export async function ownName({ client, signal }: Patience, isProbe = false): Promise<string> {
  const found = await client.call({ scope: OWN_NAME, signal, isCounted: false, isProbe }, (api, abort) =>
    api.getMe(abort),
  );
  return me.parse(found).username;
}

/** A token that was refused may be given back: it is asked with again, ever more rarely, up to once in ten minutes. */
export async function watchToken(parts: Patience): Promise<void> {
  const { client, clock, signal } = parts;
  let waitMs = FIRST_WAIT_MS;
  let refusedForMs = 0;
  for (await clock.sleep(LOOK_MS, signal); !signal.aborted; await clock.sleep(LOOK_MS, signal)) {
    if (!client.isRefused()) {
      waitMs = FIRST_WAIT_MS;
      refusedForMs = 0;
      continue;
    }
    refusedForMs += LOOK_MS;
    if (refusedForMs < waitMs) continue;
    refusedForMs = 0;
    waitMs = Math.min(LONGEST_WAIT_MS, waitMs * 2);
    // What it says is told by the alarm.
    await ownName(parts, true).catch(() => {});
  }
}
