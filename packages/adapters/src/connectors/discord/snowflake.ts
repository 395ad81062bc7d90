import { createHash } from 'node:crypto';

/** First instant of Discord's ids, epoch ms. */
const DISCORD_EPOCH_MS = 1_420_070_400_000;
const NONCE_BYTES = 15;
const BASE32 = 'abcdefghijklmnopqrstuvwxyz234567';

/** The smallest id that a message made at this instant could have. */
export function snowflakeAt(ms: number): string {
  return (BigInt(Math.max(0, Math.floor(ms) - DISCORD_EPOCH_MS)) << 22n).toString();
}

/** When an id was made, epoch ms. @param id digits only */
export function instantOf(id: string): number {
  return Number(BigInt(id) >> 22n) + DISCORD_EPOCH_MS;
}

export function isSnowflake(text: string | undefined): text is string {
  return text !== undefined && /^(?:0|[1-9]\d{0,19})$/.test(text);
}

/** Orders ids by age. */
export function isNewer(id: string, than: string): boolean {
  return id.length === than.length ? id > than : id.length > than.length;
}

/**
 * What Discord drops repeats by for some minutes: the same effect and part give the same nonce, always.
 * @returns 24 characters, at most 25 are allowed
 */
export function nonceOf(effectId: string, part: number): string {
  const bytes = createHash('sha256').update(`${effectId}.${part}`).digest().subarray(0, NONCE_BYTES);
  let bits = 0n;
  for (const byte of bytes) bits = (bits << 8n) | BigInt(byte);
  let text = '';
  for (let shift = NONCE_BYTES * 8 - 5; shift >= 0; shift -= 5) {
    text += BASE32.charAt(Number((bits >> BigInt(shift)) & 31n));
  }
  return text;
}
