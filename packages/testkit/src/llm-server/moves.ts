/** Token counts as the OpenAI protocol names them. Values are sent as they are, also absurd ones. */
export interface WireUsage {
  readonly prompt_tokens?: number | null;
  readonly completion_tokens?: number | null;
  readonly total_tokens?: number | null;
  readonly prompt_tokens_details?: { readonly cached_tokens?: number };
}

/** One piece of a tool call inside a delta. */
export interface WireToolDelta {
  readonly index: number;
  readonly id?: string;
  readonly name?: string;
  readonly arguments?: string;
}

/** One thing the server does while it answers. */
export type LlmMove =
  | { readonly kind: 'text'; readonly delta: string }
  | { readonly kind: 'reasoning'; readonly delta: string }
  | { readonly kind: 'tools'; readonly deltas: readonly WireToolDelta[] }
  /** Last chunk: `finish` null leaves the reason out, `usage` undefined leaves the counts out. */
  | { readonly kind: 'finish'; readonly finish: string | null; readonly usage?: WireUsage | undefined }
  /** A chunk without choices. */
  | { readonly kind: 'empty' }
  /** Bytes of the event stream, as they are. */
  | { readonly kind: 'raw'; readonly bytes: string | Uint8Array }
  /** A whole answer instead of a stream; must be the first move. */
  | {
      readonly kind: 'status';
      readonly status: number;
      readonly headers?: Readonly<Record<string, string>>;
      readonly body: string | Uint8Array;
    }
  /** Ends the stream in good order, without the mark of its end. */
  | { readonly kind: 'end' }
  /** Sends nothing until this resolves. As the first move it also holds back the headers. */
  | { readonly kind: 'hold'; readonly until: Promise<unknown> }
  /** Sends nothing more and keeps the line open. As the first move it also holds back the headers. */
  | { readonly kind: 'hang' }
  /** Breaks the line. */
  | { readonly kind: 'cut' };

export type LlmReply = Iterable<LlmMove>;

const USAGE: WireUsage = { prompt_tokens: 120, completion_tokens: 30, total_tokens: 150 };

/** Builders of replies; each returns a list of moves, to be joined with spread. */
export const llm = {
  /** One delta per word. */
  text: (text: string): readonly LlmMove[] =>
    (text.match(/\s*\S+|\s+$/g) ?? []).map((delta) => ({ kind: 'text', delta })),

  reasoning: (text: string): readonly LlmMove[] => [{ kind: 'reasoning', delta: text }],

  /**
   * Whole tool calls, streamed as servers do: name first, then the arguments in small pieces, the calls taking turns.
   * @param pieceChars characters of each piece of arguments
   */
  toolCalls: (
    calls: readonly { readonly id: string; readonly name: string; readonly arguments: string }[],
    pieceChars = 7,
  ): readonly LlmMove[] => {
    const heads: LlmMove[] = calls.map((call, index) => ({
      kind: 'tools',
      deltas: [{ index, id: call.id, name: call.name, arguments: '' }],
    }));
    const longest = Math.max(0, ...calls.map((call) => call.arguments.length));
    const pieces: LlmMove[] = [];
    for (let at = 0; at < longest; at += pieceChars) {
      const deltas = calls
        .map((call, index) => ({ index, arguments: call.arguments.slice(at, at + pieceChars) }))
        .filter((delta) => delta.arguments !== '');
      pieces.push({ kind: 'tools', deltas });
    }
    return [...heads, ...pieces];
  },

  /** The end of a good answer. */
  done: (finish = 'stop', usage: WireUsage | undefined = USAGE): readonly LlmMove[] => [
    { kind: 'finish', finish, usage },
  ],

  /** An error answer as the OpenAI protocol has it. @param message what the server says, e.g. with a canary in it */
  status: (
    status: number,
    message = `emulated ${status}`,
    headers: Readonly<Record<string, string>> = {},
  ): readonly LlmMove[] => [
    {
      kind: 'status',
      status,
      headers,
      body: JSON.stringify({ error: { message, type: 'emulated', code: status } }),
    },
  ],

  raw: (bytes: string | Uint8Array): readonly LlmMove[] => [{ kind: 'raw', bytes }],

  /** An event of the stream with these bytes as its data. */
  data: (json: unknown): readonly LlmMove[] => llm.raw(`data: ${JSON.stringify(json)}\n\n`),

  /** A good status with a body that is no event stream, or one in another encoding. */
  body: (body: string | Uint8Array, headers: Readonly<Record<string, string>> = {}): readonly LlmMove[] => [
    { kind: 'status', status: 200, headers, body },
  ],

  /** One byte at a time, with a pause before each. @param pause e.g. a sleep of the test's clock */
  drip: function* (bytes: string, pause: () => Promise<unknown>): Iterable<LlmMove> {
    for (const byte of bytes) {
      yield { kind: 'hold', until: pause() };
      yield { kind: 'raw', bytes: byte };
    }
  },

  empty: (): readonly LlmMove[] => [{ kind: 'empty' }],
  hang: (): readonly LlmMove[] => [{ kind: 'hang' }],
  hold: (until: Promise<unknown>): readonly LlmMove[] => [{ kind: 'hold', until }],
  cut: (): readonly LlmMove[] => [{ kind: 'cut' }],
  end: (): readonly LlmMove[] => [{ kind: 'end' }],

  /** Text without end. @param delta repeated for ever */
  endless: function* (delta = 'more and more '): Iterable<LlmMove> {
    while (true) yield { kind: 'text', delta };
  },
} as const;
