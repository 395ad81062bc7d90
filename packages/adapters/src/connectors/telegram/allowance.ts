import type { Clock } from '@agent-runtime/domain';

/** A message to a chat; groups have negative ids. */
export interface Outgoing {
  readonly chat: number;
  readonly isFrame: boolean;
}

/** How many messages a chat takes. */
export interface ChatAllowance {
  /** How long until there is room; 0: at once. */
  waitMs(one: Outgoing): number;
  take(one: Outgoing): void;
}

interface Sent {
  readonly atMs: number;
  readonly isFrame: boolean;
}

const MINUTE_MS = 60_000;
/** About one a second; a few at once are forgiven. */
const BURST = 5;
const BURST_MS = 5_000;
const GROUP_PER_MINUTE = 20;
/** Of a group's minute; the other half is for answers. */
const FRAMES_PER_MINUTE = 10;
/** Of a burst. */
const FRAMES_AT_ONCE = 3;
const MOST_CHATS = 10_000;

/** What Telegram takes in one chat: about one message a second, in a group also 20 a minute, of which frames use half at most. */
export function chatAllowance(clock: Clock): ChatAllowance {
  const sent = new Map<number, readonly Sent[]>();
  return {
    waitMs: ({ chat, isFrame }) => {
      const now = clock.monotonicMs();
      const recent = (sent.get(chat) ?? []).filter(({ atMs }) => atMs > now - MINUTE_MS);
      const limits = [roomIn(recent, BURST, BURST_MS)];
      if (chat < 0) limits.push(roomIn(recent, GROUP_PER_MINUTE, MINUTE_MS));
      const frames = recent.filter((one) => one.isFrame);
      if (isFrame) limits.push(roomIn(frames, FRAMES_AT_ONCE, BURST_MS));
      if (chat < 0 && isFrame) limits.push(roomIn(frames, FRAMES_PER_MINUTE, MINUTE_MS));
      return Math.max(0, ...limits.map((atMs) => atMs - now));
    },
    take: ({ chat, isFrame }) => {
      const atMs = clock.monotonicMs();
      const recent = (sent.get(chat) ?? []).filter((one) => one.atMs > atMs - MINUTE_MS);
      sent.delete(chat);
      sent.set(chat, [...recent, { atMs, isFrame }]);
      const [oldest] = sent.keys();
      if (sent.size > MOST_CHATS && oldest !== undefined) sent.delete(oldest);
    },
  };
}

/** When one more fits into a sliding window of so many. */
function roomIn(times: readonly Sent[], limit: number, spanMs: number): number {
  const oldest = times.at(-limit);
  return oldest === undefined ? 0 : oldest.atMs + spanMs;
}
