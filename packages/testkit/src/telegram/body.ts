import type { IncomingMessage } from 'node:http';
import { badRequest } from './refusal.ts';

/** A file as it was sent. */
export class Upload {
  readonly fileName: string;
  readonly bytes: Buffer;
  constructor(fileName: string, bytes: Buffer) {
    this.fileName = fileName;
    this.bytes = bytes;
  }
}

/** Parameters of a call before they are checked. */
export interface RawParams {
  /** Values of JSON bodies have types, those of forms and query strings are all text. */
  readonly isTyped: boolean;
  readonly values: Readonly<Record<string, unknown>>;
  readonly files: ReadonlyMap<string, Upload>;
}

const NO_FILES: ReadonlyMap<string, Upload> = new Map();

/**
 * Reads the parameters of a call: query string, JSON, form, or form with files.
 * @throws Refusal 400 for a body that is none of these
 */
export async function readParams(message: IncomingMessage, query: URLSearchParams): Promise<RawParams> {
  const bytes = await readBody(message);
  const type = message.headers['content-type'] ?? '';
  const base = Object.fromEntries(query);
  if (bytes.length === 0) return { isTyped: false, values: base, files: NO_FILES };
  if (type.startsWith('application/json')) {
    return { isTyped: true, values: { ...base, ...parseJson(bytes) }, files: NO_FILES };
  }
  if (type.startsWith('application/x-www-form-urlencoded')) {
    const form = Object.fromEntries(new URLSearchParams(bytes.toString('utf8')));
    return { isTyped: false, values: { ...base, ...form }, files: NO_FILES };
  }
  const boundary = /^multipart\/form-data;.*boundary="?([^";]+)/i.exec(type)?.[1];
  if (boundary === undefined) throw badRequest('unsupported content type');
  return multipart(bytes, boundary, base);
}

/** By events: an iterator costs several times as much, and benchmarks come by the thousand. */
function readBody(message: IncomingMessage): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = [];
    message.on('data', (chunk: Buffer) => chunks.push(chunk));
    message.on('error', reject);
    message.on('end', () => {
      const [first] = chunks;
      resolve(chunks.length === 1 && first !== undefined ? first : Buffer.concat(chunks));
    });
  });
}

function parseJson(bytes: Buffer): Readonly<Record<string, unknown>> {
  try {
    const value: unknown = JSON.parse(bytes.toString('utf8'));
    if (typeof value === 'object' && value !== null && !Array.isArray(value)) {
      return value as Readonly<Record<string, unknown>>; // safe: an object whose members nobody trusts yet
    }
  } catch {
    // Falls through to the same answer as a body that is no object.
  }
  throw badRequest("can't parse request: JSON object expected");
}

function multipart(bytes: Buffer, boundary: string, base: Readonly<Record<string, unknown>>): RawParams {
  const values: Record<string, unknown> = { ...base };
  const files = new Map<string, Upload>();
  for (const { head, body } of partsOf(bytes, boundary)) {
    const name = attribute(head, 'name');
    if (name === undefined) throw badRequest("can't parse multipart form data: part without a name");
    const fileName = attribute(head, 'filename');
    if (fileName === undefined) values[name] = body.toString('utf8');
    else files.set(name, new Upload(fileName, Buffer.from(body)));
  }
  return { isTyped: false, values, files };
}

interface Part {
  readonly head: string;
  readonly body: Buffer;
}

function* partsOf(bytes: Buffer, boundary: string): Iterable<Part> {
  const mark = Buffer.from(`--${boundary}`);
  // The first mark has no line break before it.
  let start = bytes.indexOf(mark);
  while (start >= 0) {
    const afterMark = start + mark.length;
    if (bytes.toString('latin1', afterMark, afterMark + 2) === '--') return;
    const end = bytes.indexOf(`\r\n--${boundary}`, afterMark);
    const headEnd = bytes.indexOf('\r\n\r\n', afterMark);
    if (end < 0 || headEnd < 0) throw badRequest("can't parse multipart form data: it ends in the middle");
    yield {
      head: bytes.toString('utf8', afterMark, headEnd),
      body: bytes.subarray(Math.min(headEnd + 4, end), end),
    };
    start = end + 2;
  }
}

/** Of the header lines; a value may be without quotes, then it goes to the end of the line, as the clients write it. */
function attribute(head: string, name: string): string | undefined {
  const found = new RegExp(
    `content-disposition:[^\\r\\n]*?;\\s*${name}=(?:"([^"\\r\\n]*)"|([^\\r\\n]*))`,
    'i',
  ).exec(head);
  return found === null ? undefined : (found[1] ?? found[2]);
}
