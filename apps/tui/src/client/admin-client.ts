import type { IncomingMessage } from 'node:http';
import {
  ADMIN_PREFIX,
  ADMIN_ROUTES,
  type AdminInput,
  type AdminReply,
  type AdminRoute,
  type AdminRouteName,
  AppError,
  errorFromBody,
  fromInstant,
  type Hello,
  parseWire,
  type WireRequest,
  writeInput,
} from '@agent-runtime/domain';
import { type ClientKey, SOCKET_AUTHORITY, signDecision, signRequest } from '@agent-runtime/pki';
import type { AdminClient, StreamEvent } from './client.ts';
import { enrol } from './enrolment.ts';
import type { KeyStore } from './key-store.ts';
import { type Line, readAll, socketLine } from './line.ts';
import { readEvents } from './sse.ts';

/** Signs every request for one runtime and sends it on a line. */
export interface SessionInput {
  readonly line: Line;
  /** What signatures name as @authority. */
  readonly authority: string;
  /** The greeting: boot id and time of the runtime. */
  readonly greet: () => Promise<Hello>;
  readonly key: () => Promise<ClientKey>;
  nowMs(): number;
}

export interface SocketClientInput {
  readonly socketPath: string;
  readonly keys: KeyStore;
  nowMs(): number;
}

/** The admin API over the local socket. Enrols a key by itself at first use, signs every request with it. */
export interface SocketClient extends AdminClient {
  hello(): Promise<Hello>;
  /** Is there a key of this person for this instance? */
  hasKey(): Promise<boolean>;
  /** Registers a fresh key: with a code, or with one that the socket makes for `user`. */
  enrol(how: {
    readonly code?: string | undefined;
    readonly user?: string | undefined;
  }): Promise<AdminReply<'key.enrol'>>;
}

/** Refusals after which the same request, signed again, may pass: the runtime restarted, or the clock offset was old. */
const SIGN_AGAIN = new Set(['signature.boot.unauthenticated', 'signature.clock.unauthenticated']);

/** The server knows no such key, or knows it no longer: revoked, or forgotten with a lost database. */
const UNKNOWN_KEY = new Set(['signature.key.unauthenticated', 'admin.key.unauthenticated']);

/** The admin API on any line, every request signed. */
export function signedClient(input: SessionInput): Pick<AdminClient, 'call' | 'stream' | 'signDecision'> {
  const { line } = input;
  let greeting: Promise<Hello> | undefined;
  let offsetMs = 0;
  const hello = (): Promise<Hello> => {
    // A greeting that failed is not kept: whoever stays on asks again when the runtime is there.
    greeting ??= (async () => {
      const found = await input.greet();
      offsetMs = fromInstant(found.server_time) - input.nowMs();
      return found;
    })().catch((thrown: unknown) => {
      greeting = undefined;
      throw thrown;
    });
    return greeting;
  };
  const sendSigned = async (wire: WireRequest, signal?: AbortSignal): Promise<IncomingMessage> => {
    const signer = await input.key();
    const { boot_id } = await hello();
    const headers = signRequest({
      method: wire.method,
      path: wire.path,
      query: wire.query,
      authority: input.authority,
      body: new TextEncoder().encode(wire.body),
      key: signer,
      bootId: boot_id,
      nowMs: input.nowMs() + offsetMs,
    });
    return line.open({ ...onLine(wire), headers: { ...headers }, signal });
  };
  /** Sends, and once more with a fresh signature where that can help. */
  const signed = async (wire: WireRequest, signal?: AbortSignal): Promise<IncomingMessage> => {
    const first = await sendSigned(wire, signal);
    if (first.statusCode !== 401) return first;
    const error = await errorOf(line, first);
    if (UNKNOWN_KEY.has(error.code)) throw unknownKey(error);
    if (!SIGN_AGAIN.has(error.code)) throw error;
    greeting = undefined;
    return sendSigned(wire, signal);
  };
  return {
    call: async (name, given) => answerOf(line, name, await signed(writeInput(ADMIN_ROUTES[name], given))),
    stream: (path, signal) =>
      streamOf(
        line,
        () => signed({ method: 'GET', path: ADMIN_PREFIX + path, query: '', body: '' }, signal),
        signal,
      ),
    signDecision: async (canonical) => {
      const { keyId, signature } = signDecision({
        canonicalBytes: new TextEncoder().encode(canonical),
        key: await input.key(),
      });
      return { keyId, signature: Buffer.from(signature).toString('base64') };
    },
  };
}

/** The admin API over the local socket. */
export function socketClient(input: SocketClientInput): SocketClient {
  const line = socketLine(input.socketPath);
  let greeting: Promise<Hello> | undefined;
  let key: Promise<ClientKey> | undefined;

  async function callUnsigned<N extends AdminRouteName>(
    name: N,
    given: AdminInput<N>,
  ): Promise<AdminReply<N>> {
    const wire = writeInput(ADMIN_ROUTES[name], given);
    return answerOf(line, name, await line.open({ ...onLine(wire), headers: {} }));
  }
  const hello = (): Promise<Hello> => {
    greeting ??= callUnsigned('hello.read', {}).catch((thrown: unknown) => {
      greeting = undefined;
      throw thrown;
    });
    return greeting;
  };
  const enrolHere: SocketClient['enrol'] = async (how) => {
    const code =
      how.code ??
      (await callUnsigned('invite.create', how.user === undefined ? {} : { user: how.user })).code;
    const made = await enrol({
      code,
      keys: input.keys,
      // Whoever asks here was asked before: see the command.
      mayReplace: true,
      send: (claim) => callUnsigned('key.enrol', claim),
    });
    key = Promise.resolve(made.key);
    return made.reply;
  };
  const myKey = (): Promise<ClientKey> => {
    key ??= (async () => {
      const { instance_id } = await hello();
      const kept = input.keys.load(instance_id);
      if (kept !== undefined) return kept;
      await enrolHere({});
      const made = input.keys.load(instance_id);
      if (made === undefined) throw lostKey();
      return made;
    })().catch((thrown: unknown) => {
      key = undefined;
      throw thrown;
    });
    return key;
  };
  return {
    ...signedClient({
      line,
      authority: SOCKET_AUTHORITY,
      greet: () => callUnsigned('hello.read', {}),
      key: myKey,
      nowMs: () => input.nowMs(),
    }),
    hello,
    instanceId: async () => (await hello()).instance_id,
    hasKey: async () => input.keys.load((await hello()).instance_id) !== undefined,
    enrol: enrolHere,
    callUnsigned,
  };
}

async function* streamOf(
  line: Line,
  connect: () => Promise<IncomingMessage>,
  signal: AbortSignal,
): AsyncIterable<StreamEvent> {
  const response = await connect();
  if (response.statusCode !== 200) throw await errorOf(line, response);
  try {
    yield* readEvents(response);
  } catch (thrown) {
    throw line.fault(thrown, signal);
  }
}

function onLine(wire: WireRequest) {
  return { method: wire.method, path: wire.path + wire.query, body: wire.body };
}

/** The parsed answer of a route. @throws AppError of the server's envelope */
export async function answerOf<N extends AdminRouteName>(
  line: Line,
  name: N,
  response: IncomingMessage,
): Promise<AdminReply<N>> {
  if (response.statusCode !== 200) throw await errorOf(line, response);
  const route: AdminRoute = ADMIN_ROUTES[name];
  return parseWire(route.reply, parseJson(await readAll(line, response)), 'answer') as AdminReply<N>; // safe: parsed with this route's own schema
}

async function errorOf(line: Line, response: IncomingMessage): Promise<AppError> {
  const body = parseJson(await readAll(line, response));
  return (
    errorFromBody(body) ??
    new AppError({
      code: 'tui.answer.unavailable',
      kind: 'unavailable',
      message: `The runtime answered ${response.statusCode ?? 0} without saying why. Its log has the details.`,
    })
  );
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** Never enrols by itself here: a key that somebody revoked must not come back without a person saying so. */
function unknownKey(cause: AppError): AppError {
  return new AppError({
    code: cause.code,
    kind: 'unauthenticated',
    message:
      'The runtime does not know the key of this machine (any more): it was revoked, or the database was made anew. Make a new one with: agent-runtime enrol --force',
    cause,
  });
}

function lostKey(): AppError {
  return new AppError({
    code: 'tui.key.unavailable',
    kind: 'unavailable',
    message:
      'The client key could not be kept. Check that your configuration folder is writable, then run the command again.',
  });
}
