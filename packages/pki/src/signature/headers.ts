/**
 * Headers as Node gives them (`request.headers` or `headersDistinct`): names in any case, repeated ones joined by a
 * comma or in an array.
 */
export type RequestHeaders = Readonly<Record<string, string | readonly string[] | undefined>>;

/** @returns the header's value when it was sent exactly once, else undefined */
export function singleHeader(headers: RequestHeaders, name: string): string | undefined {
  const values = headerValues(headers, name);
  return values.length === 1 ? values[0] : undefined;
}

/** True when the header was sent at all. */
export function hasHeader(headers: RequestHeaders, name: string): boolean {
  return headerValues(headers, name).length > 0;
}

function headerValues(headers: RequestHeaders, name: string): readonly string[] {
  return Object.entries(headers)
    .filter(([key]) => key.toLowerCase() === name)
    .flatMap(([, value]) => value ?? []);
}
