import type { IncomingMessage } from 'node:http';
import { hostname } from 'node:os';
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
import {
  type ClientKey,
  exportPublicKey,
  inviteProof,
  newClientKey,
  parseInvite,
  parseKeyId,
  SOCKET_AUTHORITY,
  signDecision,
  signRequest,
  verifyServerProof,
} from '@agent-runtime/pki';
import type { AdminClient, StreamEvent } from './client.ts';
import { lineFault, open, readAll } from './http.ts';
import type { KeyStore } from './key-store.ts';
import { readEvents } from './sse.ts';

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

export function socketClient(input: SocketClientInput): SocketClient {
  let greeting: Promise<Hello> | undefined;
  let offsetMs = 0;
  let key: Promise<ClientKey> | undefined;

  const greet = async (): Promise<Hello> => {
    const hello = await callUnsigned('hello.read', {});
    offsetMs = fromInstant(hello.server_time) - input.nowMs();
    return hello;
  };
  const hello = (): Promise<Hello> => {
    // A greeting that failed is not kept: whoever stays on asks again when the runtime is there.
    greeting ??= greet().catch((thrown: unknown) => {
      greeting = undefined;
      throw thrown;
    });
    return greeting;
  };
  const myKey = (): Promise<ClientKey> => {
    key ??= (async () => {
      const { instance_id } = await hello();
      const kept = input.keys.load(instance_id);
      if (kept !== undefined) return kept;
      await enrol({});
      const made = input.keys.load(instance_id);
      if (made === undefined) throw lostKey();
      return made;
    })().catch((thrown: unknown) => {
      key = undefined;
      throw thrown;
    });
    return key;
  };

  const sendSigned = async (wire: WireRequest, signal?: AbortSignal): Promise<IncomingMessage> => {
    const signer = await myKey();
    const { boot_id } = await hello();
    const headers = signRequest({
      method: wire.method,
      path: wire.path,
      query: wire.query,
      authority: SOCKET_AUTHORITY,
      body: new TextEncoder().encode(wire.body),
      key: signer,
      bootId: boot_id,
      nowMs: input.nowMs() + offsetMs,
    });
    return open({ ...toSocket(input, wire), headers: { ...headers }, signal });
  };
  /** Sends, and once more with a fresh signature where that can help. */
  const signed = async (wire: WireRequest, signal?: AbortSignal): Promise<IncomingMessage> => {
    const first = await sendSigned(wire, signal);
    if (first.statusCode !== 401) return first;
    const error = await errorOf(first);
    if (UNKNOWN_KEY.has(error.code)) throw unknownKey(error);
    if (!SIGN_AGAIN.has(error.code)) throw error;
    greeting = undefined;
    return sendSigned(wire, signal);
  };

  async function call<N extends AdminRouteName>(name: N, given: AdminInput<N>): Promise<AdminReply<N>> {
    return answerOf(name, await signed(writeInput(ADMIN_ROUTES[name], given)));
  }
  async function callUnsigned<N extends AdminRouteName>(
    name: N,
    given: AdminInput<N>,
  ): Promise<AdminReply<N>> {
    const wire = writeInput(ADMIN_ROUTES[name], given);
    return answerOf(name, await open({ ...toSocket(input, wire), headers: {} }));
  }
  async function enrol(how: { readonly code?: string | undefined; readonly user?: string | undefined }) {
    const { instance_id } = await hello();
    const code =
      how.code ??
      (await callUnsigned('invite.create', how.user === undefined ? {} : { user: how.user })).code;
    const invite = parseInvite(code);
    const fresh = await newClientKey();
    const spkiDer = exportPublicKey(fresh.publicKey);
    const reply = await callUnsigned('key.enrol', {
      invite_id: invite.inviteId,
      spki: toBase64url(spkiDer),
      proof: toBase64url(inviteProof({ invite, spkiDer })),
      name: machineName(),
    });
    // Only a server that knows the code gets its identity trusted.
    verifyServerProof({
      invite,
      serverIdentity: new TextEncoder().encode(`agent-runtime instance ${instance_id}`),
      keyId: parseKeyId(fresh.keyId),
      proof: new Uint8Array(Buffer.from(reply.proof, 'base64url')),
    });
    input.keys.save(instance_id, fresh);
    key = Promise.resolve(fresh);
    return reply;
  }

  return {
    hello,
    hasKey: async () => input.keys.load((await hello()).instance_id) !== undefined,
    enrol,
    call,
    callUnsigned,
    stream: (path, signal) =>
      streamOf(
        () => signed({ method: 'GET', path: ADMIN_PREFIX + path, query: '', body: '' }, signal),
        signal,
      ),
    signDecision: async (canonical) => {
      const { keyId, signature } = signDecision({
        canonicalBytes: new TextEncoder().encode(canonical),
        key: await myKey(),
      });
      return { keyId, signature: Buffer.from(signature).toString('base64') };
    },
  };
}

async function* streamOf(
  connect: () => Promise<IncomingMessage>,
  signal: AbortSignal,
): AsyncIterable<StreamEvent> {
  const response = await connect();
  if (response.statusCode !== 200) throw await errorOf(response);
  try {
    yield* readEvents(response);
  } catch (thrown) {
    throw lineFault(thrown, signal);
  }
}

function toSocket(input: SocketClientInput, wire: WireRequest) {
  return {
    socketPath: input.socketPath,
    method: wire.method,
    path: wire.path + wire.query,
    body: wire.body,
  };
}

async function answerOf<N extends AdminRouteName>(
  name: N,
  response: IncomingMessage,
): Promise<AdminReply<N>> {
  if (response.statusCode !== 200) throw await errorOf(response);
  const route: AdminRoute = ADMIN_ROUTES[name];
  return parseWire(route.reply, parseJson(await readAll(response)), 'answer') as AdminReply<N>; // safe: parsed with this route's own schema
}

async function errorOf(response: IncomingMessage): Promise<AppError> {
  const body = parseJson(await readAll(response));
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

function machineName(): string {
  return `cli on ${hostname()}`.slice(0, 120);
}

function toBase64url(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('base64url');
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
