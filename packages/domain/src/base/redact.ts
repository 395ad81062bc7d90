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
  /(?<!\d)\d{6,12}:[A-Za-z0-9_-]{30,}/g, // Telegram bot tokens, also inside `/bot<token>/method`
  /\b[A-Za-z0-9_-]{23,28}\.[A-Za-z0-9_-]{6,7}\.[A-Za-z0-9_-]{27,}\b/g, // Discord bot tokens
  /\bart_[A-Za-z0-9_-]{20,}\b/g, // our own HTTP tokens
  /\b(?:[0-9A-HJKMNP-TV-Z]{4}-){6,15}[0-9A-HJKMNP-TV-Z]{4}\b/g, // pairing codes of 7 groups, recovery keys of 14, invite codes of 16
  /\b(?:Bearer|Basic)\s+[A-Za-z0-9._~+/=-]{12,}/gi,
  /\beyJ[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]{8,}/g, // JSON web tokens
  /\b[0-9a-f]{32}\.[A-Za-z0-9]{16}\b/g, // z.ai keys
  /\bgh[a-z]_[A-Za-z0-9]{30,}\b/g, // GitHub tokens
  /(?<=:\/\/[^\s/:@]{0,64}:)[^\s/@]{1,256}(?=@)/g, // passwords inside URLs
  /-----BEGIN [A-Z ]*PRIVATE KEY-----[\s\S]*?(?:-----END [A-Z ]*PRIVATE KEY-----|$)/g,
];
const SECRET_NAME =
  /(?:^|_)(?:secret|password|passwd|passphrase|token|credentials?|api_?key|authorization|cookie|(?:master|private|recovery|client)_?key)$/;
const MIN_SECRET_CHARS = 6;
const MAX_DEPTH = 8;

/**
 * @param secrets exact values to hide, read at each call so that rotated ones count at once; values under
 *   6 characters are left alone, for hiding "a" would hide the log
 */
export function makeRedactor(secrets: () => Iterable<string>): Redactor {
  const text = (input: string): string => {
    let output = input;
    for (const form of formsOf(secrets())) output = output.replaceAll(form, REDACTED);
    for (const shape of SHAPES) output = output.replace(shape, REDACTED);
    return output;
  };
  const value = (input: unknown, depth: number): unknown => {
    if (typeof input === 'string') return text(input);
    if (typeof input !== 'object' || input === null) return input;
    if (depth >= MAX_DEPTH) return '[too deep]';
    if (input instanceof Error) return errorOf(input, text);
    if (input instanceof Date) return Number.isNaN(input.getTime()) ? null : input.toISOString();
    if (ArrayBuffer.isView(input)) return `[${input.byteLength} bytes]`;
    if (input instanceof URL) return text(input.href);
    if (Array.isArray(input) || input instanceof Set)
      return Array.from(input, (item) => value(item, depth + 1));
    const entries = input instanceof Map ? [...input] : Object.entries(input);
    return Object.fromEntries(
      entries.map(([key, member]) => [
        text(String(key)),
        isSecretName(String(key)) && holdsText(member) ? REDACTED : value(member, depth + 1),
      ]),
    );
  };
  return { text, value: (input) => value(input, 0) };
}

/** Every secret as it is and as it looks inside JSON, a URL or base64; longest first, or a prefix would leave the rest to be read. */
function formsOf(secrets: Iterable<string>): readonly string[] {
  const forms = new Set<string>();
  for (const secret of secrets) {
    if (secret.length < MIN_SECRET_CHARS) continue;
    const wellFormed = secret.toWellFormed();
    forms.add(secret).add(JSON.stringify(secret).slice(1, -1)).add(encodeURIComponent(wellFormed));
    forms.add(Buffer.from(wellFormed, 'utf8').toString('base64').replace(/=+$/, ''));
  }
  return [...forms].sort((a, b) => b.length - a.length);
}

/** `botToken`, `BOT_TOKEN` and `bot-token` are one name. */
function isSecretName(name: string): boolean {
  return SECRET_NAME.test(
    name
      .replace(/([a-z0-9])([A-Z])/g, '$1_$2')
      .replaceAll('-', '_')
      .toLowerCase(),
  );
}

/** Absent values and switches stay: `password: false` says something and betrays nothing. */
function holdsText(member: unknown): boolean {
  return member !== undefined && member !== null && typeof member !== 'boolean';
}

function errorOf(error: Error, text: (input: string) => string): unknown {
  const code: unknown = 'code' in error ? error.code : undefined;
  const shown = { name: error.name, message: text(error.message) };
  return typeof code === 'string' ? { ...shown, code: text(code) } : shown;
}
