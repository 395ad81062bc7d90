import type { IncomingMessage } from 'node:http';
import type { NewFile } from '../world/draft.ts';
import { Refusal } from './refusal.ts';

export interface ReadBody {
  /** The JSON; undefined when there is none. */
  readonly body: unknown;
  readonly files: readonly NewFile[];
}

export async function bytesOf(request: IncomingMessage): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk as Buffer); // safe: no encoding is set
  return Buffer.concat(chunks);
}

/** Understands JSON, and forms with `payload_json` and files. @returns a Refusal for bytes that are neither */
export async function readBody(contentType: string | undefined, bytes: Buffer): Promise<ReadBody | Refusal> {
  if (bytes.byteLength === 0) return { body: undefined, files: [] };
  try {
    if (contentType?.startsWith('multipart/form-data') === true) return await readForm(contentType, bytes);
    return { body: JSON.parse(bytes.toString('utf8')), files: [] };
  } catch {
    return new Refusal(400, 50109, 'The request body contains invalid JSON.');
  }
}

async function readForm(contentType: string, bytes: Buffer): Promise<ReadBody> {
  const headers = { 'content-type': contentType };
  const form = await new Response(new Uint8Array(bytes), { headers }).formData();
  const files: NewFile[] = [];
  let payload: string | undefined;
  for (const [name, value] of form) {
    if (typeof value === 'string') payload = name === 'payload_json' ? value : payload;
    else {
      const contentTypeOfFile = value.type === '' ? undefined : value.type;
      files.push({ name: value.name, bytes: await value.bytes(), contentType: contentTypeOfFile });
    }
  }
  // A form of files alone is a message that says nothing else.
  return { body: payload === undefined ? {} : JSON.parse(payload), files };
}
