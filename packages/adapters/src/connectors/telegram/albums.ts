import type { TelegramUpdate } from './update.ts';

/** Pictures sent together come as a message each; one of them speaks for all. */
export interface Albums {
  /** Looks ahead: whether something comes that has the words. */
  learn(updates: readonly TelegramUpdate[]): void;
  /** Whether this message, addressed by itself, is the one: the first with a caption, else the first. The same answer every time. */
  speaks(update: TelegramUpdate): boolean;
}

interface Spoken {
  readonly message: number;
  readonly hasWords: boolean;
}

const MOST_ALBUMS = 1_000;

export function makeAlbums(): Albums {
  const worded = new Map<string, true>();
  const chosen = new Map<string, Spoken>();
  return {
    learn: (updates) => {
      for (const update of updates) {
        const { key, hasWords } = pieceOf(update) ?? {};
        if (key !== undefined && hasWords === true) remember(worded, key, true);
      }
    },
    speaks: (update) => {
      const piece = pieceOf(update);
      if (piece === undefined) return true;
      const { key, message, hasWords } = piece;
      const before = chosen.get(key);
      if (before?.message === message) return true;
      // Words that come late are not lost, though the album was answered already.
      const isBetter = before === undefined ? hasWords || !worded.has(key) : hasWords && !before.hasWords;
      if (isBetter) remember(chosen, key, { message, hasWords });
      return isBetter;
    },
  };
}

/** An item of an album; edits are not meant. */
function pieceOf({ message }: TelegramUpdate): (Spoken & { readonly key: string }) | undefined {
  if (message?.media_group_id === undefined) return undefined;
  return {
    key: `${message.chat.id} ${message.media_group_id}`,
    message: message.message_id,
    hasWords: (message.caption ?? '').trim() !== '',
  };
}

function remember<T>(map: Map<string, T>, key: string, value: T): void {
  map.set(key, value);
  const [oldest] = map.keys();
  if (map.size > MOST_ALBUMS && oldest !== undefined) map.delete(oldest);
}
