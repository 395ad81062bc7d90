import { type Clock, ID_PREFIXES, type Id, type IdNoun, type Ids } from '@agent-runtime/domain';

/** Crockford's alphabet in lower case: no i, l, o, u, so that a read-out id is not misheard. */
const ALPHABET = '0123456789abcdefghjkmnpqrstvwxyz';
const TIME_CHARS = 9;
const RANDOM_CHARS = 11;
const POOLED_IDS = 256;

/**
 * Ids that sort by time of making: 9 characters of milliseconds, 11 of randomness (55 bits).
 * @param random cryptographic source of `size` bytes, handed in by main.ts
 */
export function systemIds(clock: Clock, random: (size: number) => Uint8Array): Ids {
  let pool: Uint8Array = new Uint8Array(0);
  /** Asking the system for each id costs more than making it. Secrets are asked for one by one. */
  const next = (): Uint8Array => {
    if (pool.length < RANDOM_CHARS) pool = random(RANDOM_CHARS * POOLED_IDS);
    const taken = pool.subarray(0, RANDOM_CHARS);
    pool = pool.subarray(RANDOM_CHARS);
    return taken;
  };
  return {
    make: <N extends IdNoun>(noun: N) => {
      const tail = [...next()].map((byte) => ALPHABET[byte & 31] ?? '0').join('');
      return `${ID_PREFIXES[noun]}_${timeChars(clock.nowMs())}${tail}` as Id<N>; // safe: built from the noun's prefix
    },
    secret: (bits) => Buffer.from(random(Math.ceil(bits / 8))).toString('base64url'),
  };
}

function timeChars(nowMs: number): string {
  let rest = Math.max(0, Math.floor(nowMs));
  let text = '';
  for (let i = 0; i < TIME_CHARS; i += 1) {
    text = (ALPHABET[rest % 32] ?? '0') + text;
    rest = Math.floor(rest / 32);
  }
  return text;
}
