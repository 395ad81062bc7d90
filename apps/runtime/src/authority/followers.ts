import type { Logger } from '@agent-runtime/domain';

/** What is made from the CA's state and can be made from it again: the listener's TLS context, the files of Caddy. */
export interface Followers {
  /** @param what in words, for log and alarm; `follow` is called now and after each change */
  add(what: string, follow: () => void): void;
  /** After a change. Never throws: the change is done, and whoever ordered it must not hear that it failed. */
  tell(): void;
  /** Tells those again that could not follow. */
  retry(): void;
  /** Those that are behind now, in words. */
  behind(): readonly string[];
}

/** Keeps what is derived from the CA in step with it; a full disk delays that, and undoes nothing. */
export function makeFollowers(log: Logger): Followers {
  const all = new Map<string, () => void>();
  const behind = new Set<string>();
  const tell = (what: string, follow: () => void): void => {
    try {
      follow();
      if (behind.delete(what)) log.info({ room: 'certificate' }, `${what}: up to date again`);
    } catch (thrown) {
      behind.add(what);
      log.error(
        { room: 'certificate', error: String(thrown) },
        `${what}: behind the CA; tried again within the hour`,
      );
    }
  };
  return {
    add: (what, follow) => {
      all.set(what, follow);
      tell(what, follow);
    },
    tell: () => {
      for (const [what, follow] of all) tell(what, follow);
    },
    retry: () => {
      for (const [what, follow] of all) if (behind.has(what)) tell(what, follow);
    },
    behind: () => [...behind],
  };
}
