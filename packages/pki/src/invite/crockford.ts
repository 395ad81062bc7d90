const ALPHABET = '0123456789abcdefghjkmnpqrstvwxyz';
const BITS_PER_CHAR = 5;

/** Crockford base32 in lower case. `bytes.length` is a multiple of 5, so there is no padding and one form only. */
export function toCrockford(bytes: Uint8Array): string {
  const bits = [...bytes].map((byte) => byte.toString(2).padStart(8, '0')).join('');
  const groups = bits.match(/.{5}/g) ?? [];
  return groups.map((group) => ALPHABET.charAt(Number.parseInt(group, 2))).join('');
}

/**
 * Reads what a person typed: case, spaces and hyphens do not matter, O reads as 0, I and L as 1.
 * @returns undefined when another character is left or the length is not that of `sizeBytes` (a multiple of 5)
 */
export function fromCrockford(text: string, sizeBytes: number): Uint8Array | undefined {
  const plain = text.replace(/[\s-]/g, '').toLowerCase().replaceAll('o', '0').replace(/[il]/g, '1');
  if (plain.length * BITS_PER_CHAR !== sizeBytes * 8) return undefined;
  const values = [...plain].map((char) => ALPHABET.indexOf(char));
  if (values.includes(-1)) return undefined;
  const bits = values.map((value) => value.toString(2).padStart(BITS_PER_CHAR, '0')).join('');
  return Uint8Array.from(bits.match(/.{8}/g) ?? [], (group) => Number.parseInt(group, 2));
}
