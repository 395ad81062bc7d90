/**
 * Replaces secrets in a text before it reaches a log, a transcript or an error.
 * Two nets: the exact values that this process holds, and the shapes of well-known keys.
 */
export interface Redactor {
  /** Same text with every secret replaced by `[redacted]`. Cost O(length). */
  text(input: string): string;
  /** The same for every string inside a JSON-like value; members named like a secret lose their value. */
  value(input: unknown): unknown;
}

const REDACTED = '[redacted]';
const SHAPES: readonly RegExp[] = [
  /\bsk-[A-Za-z0-9_-]{16,}\b/g, // OpenAI style keys
  /\b\d{6,12}:[A-Za-z0-9_-]{30,}\b/g, // Telegram bot tokens
  /\b[A-Za-z0-9_-]{23,28}\.[A-Za-z0-9_-]{6,7}\.[A-Za-z0-9_-]{27,}\b/g, // Discord bot tokens
  /\bart_[A-Za-z0-9_-]{20,}\b/g, // our own HTTP tokens
  /\b(?:[0-9A-HJKMNP-TV-Z]{4}-){9}[0-9A-HJKMNP-TV-Z]{4}\b/g, // invite codes
  /\b(?:Bearer|Basic)\s+[A-Za-z0-9._~+/=-]{12,}/gi,
  /-----BEGIN [A-Z ]*PRIVATE KEY-----[\s\S]*?(?:-----END [A-Z ]*PRIVATE KEY-----|$)/g,
];
const SECRET_NAME =
  /^(?:.*[_-])?(?:secret|password|passphrase|token|api[_-]?key|authorization|cookie|master[_-]?key)$/i;
const MIN_SECRET_CHARS = 6;
const MAX_DEPTH = 8;

/**
 * @param secrets exact values to hide, read at each call so that rotated ones count at once; values under
 *   6 characters are left alone, for hiding "a" would hide the log
 */
export function makeRedactor(secrets: () => Iterable<string>): Redactor {
  const text = (input: string): string => {
    let output = input;
    for (const secret of secrets()) {
      if (secret.length >= MIN_SECRET_CHARS) output = output.replaceAll(secret, REDACTED);
    }
    for (const shape of SHAPES) output = output.replace(shape, REDACTED);
    return output;
  };
  const value = (input: unknown, depth = 0): unknown => {
    if (typeof input === 'string') return text(input);
    if (typeof input !== 'object' || input === null) return input;
    if (depth >= MAX_DEPTH) return '[too deep]';
    if (Array.isArray(input)) return input.map((item) => value(item, depth + 1));
    if (input instanceof Error) return { name: input.name, message: text(input.message) };
    return Object.fromEntries(
      Object.entries(input).map(([key, member]) => [
        key,
        SECRET_NAME.test(key) && typeof member === 'string' ? REDACTED : value(member, depth + 1),
      ]),
    );
  };
  return { text, value: (input) => value(input) };
}
