import type { Logger } from '@agent-runtime/domain';

/** How a server is asked for one JSON object: by schema, as "some JSON", or in words only. */
export type StructuredOutput = 'schema' | 'json' | 'words';

/** What a provider of the OpenAI protocol needs to know. Times are milliseconds of real time. */
export interface OpenAiCompatibleOptions {
  /** Provider id that routes name. */
  readonly id: string;
  /** Address of the API, without `/chat/completions`. */
  readonly baseUrl: string;
  /** Read at each call, so that a rotated key counts at once. Absent or empty: no key is sent. */
  readonly apiKey?: (() => string) | undefined;
  readonly headers?: Readonly<Record<string, string>> | undefined;
  /** Asks for token counts in the stream; true unless said. Some servers refuse the field. */
  readonly asksForUsage?: boolean | undefined;
  /** The best way the server knows; `schema` unless said. A server that refuses a schema is asked again with `json`. */
  readonly structuredOutput?: StructuredOutput | undefined;
  /** Further members of the request body, and last changes to it. Pure. */
  readonly shapeBody?: ((body: Readonly<Record<string, unknown>>) => Record<string, unknown>) | undefined;
  readonly timeouts?: Partial<Timeouts> | undefined;
  /** Most bytes of one answer, 8 MiB unless said. */
  readonly maxBytes?: number | undefined;
  /** What a server said about a failure goes here, without the key; never to a user. */
  readonly log?: Logger | undefined;
}

export interface Timeouts {
  readonly connectMs: number;
  /** Until the first bytes of the answer. Reasoning models think before they speak. */
  readonly firstByteMs: number;
  /** Between two pieces of the answer. */
  readonly silenceMs: number;
}

export const DEFAULT_TIMEOUTS: Timeouts = { connectMs: 10_000, firstByteMs: 120_000, silenceMs: 90_000 };
export const DEFAULT_MAX_BYTES = 8 * 1024 * 1024;
