import { type AppError, MAX_BODY_BYTES } from '@agent-runtime/domain';

/**
 * Reads a body and counts while it arrives: a caller that sends more than it announced is cut off at the limit (1 MiB).
 * @param tooLarge makes the refusal
 */
export async function readBody(request: Request, tooLarge: () => AppError): Promise<Uint8Array> {
  const announced = Number(request.headers.get('content-length') ?? 0);
  if (announced > MAX_BODY_BYTES) throw tooLarge();
  const reader = request.body?.getReader();
  if (reader === undefined) return new Uint8Array();
  const parts: Uint8Array[] = [];
  let size = 0;
  for (;;) {
    const { done, value } = await reader.read();
    if (done) return new Uint8Array(Buffer.concat(parts));
    size += value.byteLength;
    if (size > MAX_BODY_BYTES) {
      await reader.cancel().catch(() => undefined);
      throw tooLarge();
    }
    parts.push(value);
  }
}
