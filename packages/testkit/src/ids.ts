import { ID_PREFIXES, type Id, type IdNoun, type Ids } from '@agent-runtime/domain';

const ALPHABET = '0123456789abcdefghjkmnpqrstvwxyz';

/** Ids that are the same in every run of a test: in order of making, unique within one seed. */
export function seededIds(seed = 1): Ids {
  const random = seededRandom(seed);
  let made = 0;
  const letters = (count: number): string =>
    Array.from({ length: count }, () => ALPHABET[Math.floor(random() * ALPHABET.length)] ?? '0').join('');
  return {
    make: <N extends IdNoun>(noun: N): Id<N> => {
      made += 1;
      return `${ID_PREFIXES[noun]}_${base32(made, 8)}${letters(12)}` as Id<N>; // safe: prefix and alphabet of ids
    },
    secret: (bits) => {
      const bytes = Uint8Array.from({ length: Math.ceil(bits / 8) }, () => Math.floor(random() * 256));
      return Buffer.from(bytes).toString('base64url');
    },
  };
}

/** Mulberry32: numbers in [0, 1), the same for the same seed. Not for secrets. */
export function seededRandom(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

function base32(value: number, width: number): string {
  let rest = value;
  let text = '';
  for (let i = 0; i < width; i += 1) {
    text = (ALPHABET[rest % 32] ?? '0') + text;
    rest = Math.floor(rest / 32);
  }
  return text;
}
