import {
  type LlmReply,
  type LlmServer,
  llm,
  type RecordedRequest,
  startLlmServer,
} from '@agent-runtime/testkit';

/**
 * A model that knows what to do from the newest `[kind number]` among the user's words and from what came back since: asked again after a
 * crash, it says the same again.
 */
export interface CrashModel extends LlmServer {
  /** Lets the answer of this `[held n]` go on; for ever. */
  release(n: number): void;
  /** How often `[kind n]` was asked. */
  timesAsked(kind: string, n: number): number;
}

interface Asked {
  readonly kind: string;
  readonly n: number;
  /** Tool results since then. */
  readonly results: number;
}

export async function startCrashModel(): Promise<CrashModel> {
  const gates = new Map<number, PromiseWithResolvers<void>>();
  const gateOf = (n: number): PromiseWithResolvers<void> => {
    const gate = gates.get(n) ?? Promise.withResolvers<void>();
    gates.set(n, gate);
    return gate;
  };
  const server = await startLlmServer({ fallback: (request) => replyTo(askedIn(request), gateOf) });
  return {
    ...server,
    get open() {
      return server.open;
    },
    release: (n) => gateOf(n).resolve(),
    timesAsked: (kind, n) =>
      server.requests.filter((request) => {
        const asked = askedIn(request);
        return asked.kind === kind && asked.n === n;
      }).length,
  };
}

function askedIn(request: RecordedRequest): Asked {
  const messages = request.body.messages ?? [];
  for (let at = messages.length - 1; at >= 0; at -= 1) {
    const message = messages[at];
    if (message?.role !== 'user') continue;
    const found = [...JSON.stringify(message.content ?? '').matchAll(/\[([a-z]+) (\d+)\]/g)].at(-1);
    if (found === undefined) continue;
    const results = messages.slice(at).filter((one) => one.role === 'tool').length;
    return { kind: found[1] ?? '', n: Number(found[2]), results };
  }
  return { kind: '', n: 0, results: 0 };
}

function replyTo({ kind, n, results }: Asked, gateOf: (n: number) => PromiseWithResolvers<void>): LlmReply {
  const answer = [...llm.text(`Answer to ${kind} ${n}.`), ...llm.done()];
  if (kind === 'fail') return llm.status(400);
  if (kind === 'held') return [...llm.hold(gateOf(n).promise), ...answer];
  const call = CALLS[kind]?.(n);
  if (call === undefined || results > 0) return answer;
  const [name, args] = call;
  return [
    ...llm.toolCalls([{ id: `call-${kind}-${n}`, name, arguments: JSON.stringify(args) }]),
    ...llm.done('tool_calls'),
  ];
}

/** First move of each kind that begins with a tool. */
const CALLS: Readonly<Record<string, (n: number) => readonly [name: string, args: object]>> = {
  read: () => ['md_read', { path: 'faq.md' }],
  note: (n) => ['md_write', { path: `notes/crash-${n}.md`, mode: 'append', text: `Noted ${n}.` }],
  memory: (n) => [
    'md_write',
    { path: 'contexts/memory-staff/memory.md', mode: 'append', text: `- Fact ${n}.` },
  ],
  control: (n) => ['md_write', { path: `skills/crash-${n}.md`, mode: 'create', text: `# Skill ${n}` }],
  post: (n) => ['post_message', { connector: 'memory', channel: 'general', text: `Post ${n}.` }],
  // More than one message of the memory chat holds.
  long: (n) => [
    'post_message',
    { connector: 'memory', channel: 'general', text: `Post ${n}. ${'word '.repeat(1_200)}` },
  ],
};
