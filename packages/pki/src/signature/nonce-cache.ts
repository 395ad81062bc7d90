/**
 * fresh: first use, now remembered. seen: used before. full: no room, nothing forgotten to make some.
 * late: so old by the cache's own memory that a first use may already have been forgotten.
 */
export type NonceOutcome = 'fresh' | 'seen' | 'full' | 'late';

export interface NonceUse {
  readonly keyId: string;
  readonly nonce: string;
  /** The last instant at which this signature could be accepted, epoch ms. */
  readonly acceptableUntilMs: number;
  readonly nowMs: number;
}

export interface NonceCacheLimits {
  /** Nonces remembered in all, default 50,000 (about 10 MB). */
  readonly capacity?: number;
  /** Nonces remembered for one key, default 10,000: one busy or stolen key cannot lock the others out. */
  readonly capacityPerKey?: number;
}

interface Entry {
  readonly keyId: string;
  readonly acceptableUntilMs: number;
}

/**
 * Remembers each used nonce for as long as its signature could still be accepted. Memory is bounded and a full cache
 * refuses: forgetting a live nonce would allow its replay. One cache per boot id, fed only after the signature has
 * been verified, so that strangers cannot fill it.
 *
 * INVARIANT: a nonce is forgotten only when the clock has passed its last acceptable instant, and after that no
 * signature acceptable only up to that instant passes again, also when the clock is set back.
 */
export class NonceCache {
  readonly #capacity: number;
  readonly #capacityPerKey: number;
  readonly #entries = new Map<string, Entry>();
  readonly #countByKey = new Map<string, number>();
  #nextSweepMs = Number.POSITIVE_INFINITY;
  #forgottenUpToMs = Number.NEGATIVE_INFINITY;

  constructor(limits: NonceCacheLimits = {}) {
    this.#capacity = limits.capacity ?? 50_000;
    this.#capacityPerKey = limits.capacityPerKey ?? 10_000;
  }

  /** Nonces remembered now. */
  get size(): number {
    return this.#entries.size;
  }

  /** Checks and remembers in one synchronous step: of two copies arriving together one is `seen`. @throws never */
  use(use: NonceUse): NonceOutcome {
    this.#forgetExpired(use.nowMs);
    if (!(use.acceptableUntilMs > this.#forgottenUpToMs)) return 'late';
    const name = `${use.keyId} ${use.nonce}`;
    if (this.#entries.has(name)) return 'seen';
    const ofKey = this.#countByKey.get(use.keyId) ?? 0;
    if (this.#entries.size >= this.#capacity || ofKey >= this.#capacityPerKey) return 'full';
    this.#entries.set(name, { keyId: use.keyId, acceptableUntilMs: use.acceptableUntilMs });
    this.#countByKey.set(use.keyId, ofKey + 1);
    this.#nextSweepMs = Math.min(this.#nextSweepMs, use.acceptableUntilMs);
    return 'fresh';
  }

  // `created` has whole seconds, so this walks the entries at most about once a second.
  #forgetExpired(nowMs: number): void {
    if (nowMs <= this.#nextSweepMs) return;
    this.#nextSweepMs = Number.POSITIVE_INFINITY;
    for (const [name, entry] of this.#entries) {
      if (entry.acceptableUntilMs < nowMs) this.#forget(name, entry);
      else this.#nextSweepMs = Math.min(this.#nextSweepMs, entry.acceptableUntilMs);
    }
  }

  #forget(name: string, entry: Entry): void {
    this.#entries.delete(name);
    this.#forgottenUpToMs = Math.max(this.#forgottenUpToMs, entry.acceptableUntilMs);
    const left = (this.#countByKey.get(entry.keyId) ?? 1) - 1;
    if (left === 0) this.#countByKey.delete(entry.keyId);
    else this.#countByKey.set(entry.keyId, left);
  }
}
