import type { Note } from '../rank.ts';

export interface NoteCache {
  /** The note, if it is still of this version. */
  get(key: string, version: string): Note | undefined;
  put(key: string, version: string, note: Note, sizeBytes: number): void;
}

interface Entry {
  readonly version: string;
  readonly note: Note;
  readonly sizeBytes: number;
}

/** Keeps the notes that were used last, up to a size. @param maxBytes of text; passages take a small multiple of it */
export function noteCache(maxBytes: number): NoteCache {
  const entries = new Map<string, Entry>();
  let bytes = 0;
  const drop = (key: string): void => {
    bytes -= entries.get(key)?.sizeBytes ?? 0;
    entries.delete(key);
  };
  return {
    get: (key, version) => {
      const entry = entries.get(key);
      if (entry === undefined || entry.version !== version) return undefined;
      // A Map keeps the order of insertion: the first is the one that was used longest ago.
      entries.delete(key);
      entries.set(key, entry);
      return entry.note;
    },
    put: (key, version, note, sizeBytes) => {
      drop(key);
      entries.set(key, { version, note, sizeBytes });
      bytes += sizeBytes;
      for (const oldest of entries.keys()) {
        if (bytes <= maxBytes) break;
        drop(oldest);
      }
    },
  };
}
