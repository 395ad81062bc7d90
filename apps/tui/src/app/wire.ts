import { ADMIN_STREAMS, type LiveEventWire, liveEventSchema } from '@agent-runtime/domain';

// Loaded after the first frame: the schemas of the contract cost more than the screens.

/** Path of the live feed. */
export const LIVE_PATH = ADMIN_STREAMS.live;

/** A frame of the live feed; undefined for what does not fit the contract. */
export function parseLive(data: string): LiveEventWire | undefined {
  const parsed = liveEventSchema.safeParse(readJson(data));
  return parsed.success ? parsed.data : undefined;
}

/** JSON, or undefined. */
export function readJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
