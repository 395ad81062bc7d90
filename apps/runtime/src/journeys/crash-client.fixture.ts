import { request } from 'node:http';
import { join } from 'node:path';
import {
  ADMIN_ROUTES,
  type AdminInput,
  type AdminReply,
  type AdminRoute,
  type AdminRouteName,
  errorFromBody,
  parseWire,
  type WireRequest,
  writeInput,
} from '@agent-runtime/domain';
import {
  type ClientKey,
  inviteProof,
  newClientKey,
  parseInvite,
  SOCKET_AUTHORITY,
  signDecision,
  signRequest,
} from '@agent-runtime/pki';
import { makeCsr } from '@agent-runtime/pki/certificate';

/** A person with a key of their own, in the process of the test: a program per request would cost more than the runtime itself. */
export interface Person {
  /** Signed; the owner is enrolled at the first call. */
  call<N extends AdminRouteName>(name: N, input: AdminInput<N>): Promise<AdminReply<N>>;
  enrol(how: { readonly user?: string }): Promise<void>;
  signDecision(canonical: string): Promise<{ readonly keyId: string; readonly signature: string }>;
}

/** @param nowMs the clock of the runtime */
export function personAt(dataDir: string, nowMs: () => number): Person {
  const socketPath = join(dataDir, 'agent-runtime', 'admin.sock');
  let key: ClientKey | undefined;

  async function unsigned<N extends AdminRouteName>(name: N, input: AdminInput<N>): Promise<AdminReply<N>> {
    return replyOf(name, await send(socketPath, writeInput(ADMIN_ROUTES[name], input), {}));
  }
  const enrol = async (how: { readonly user?: string }): Promise<void> => {
    const invite = parseInvite((await unsigned('invite.create', how)).code);
    const fresh = await newClientKey();
    const request = makeCsr(fresh);
    await unsigned('key.enrol', {
      invite_id: invite.inviteId,
      request: Buffer.from(request).toString('base64url'),
      proof: Buffer.from(inviteProof({ invite, request })).toString('base64url'),
      name: 'crash test',
    });
    key = fresh;
  };
  const mine = async (): Promise<ClientKey> => {
    if (key === undefined) await enrol({});
    if (key === undefined) throw new Error('not enrolled');
    return key;
  };
  return {
    enrol,
    call: async (name, input) => {
      const signer = await mine();
      // Asked each time: every start has another one.
      const { boot_id: bootId } = await unsigned('hello.read', {});
      const wire = writeInput(ADMIN_ROUTES[name], input);
      const headers = signRequest({
        method: wire.method,
        path: wire.path,
        query: wire.query,
        authority: SOCKET_AUTHORITY,
        body: new TextEncoder().encode(wire.body),
        key: signer,
        bootId,
        nowMs: nowMs(),
      });
      return replyOf(name, await send(socketPath, wire, { ...headers }));
    },
    signDecision: async (canonical) => {
      const canonicalBytes = new TextEncoder().encode(canonical);
      const { keyId, signature } = signDecision({ canonicalBytes, key: await mine() });
      return { keyId, signature: Buffer.from(signature).toString('base64') };
    },
  };
}

interface Answer {
  readonly status: number;
  readonly body: unknown;
}

/** @throws Error when nobody listens or the process dies */
function send(
  socketPath: string,
  wire: WireRequest,
  headers: Readonly<Record<string, string>>,
): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const sent = request(
      { socketPath, method: wire.method, path: wire.path + wire.query, headers, agent: false },
      (response) => {
        let text = '';
        response.setEncoding('utf8').on('data', (part: string) => {
          text += part;
        });
        response.once('error', reject);
        response.once('end', () => {
          try {
            resolve({ status: response.statusCode ?? 0, body: JSON.parse(text) });
          } catch (thrown) {
            reject(thrown);
          }
        });
      },
    );
    sent.once('error', reject);
    sent.end(wire.body);
  });
}

function replyOf<N extends AdminRouteName>(name: N, { status, body }: Answer): AdminReply<N> {
  if (status !== 200) throw errorFromBody(body) ?? new Error(`${name} is answered with ${status}`);
  const route: AdminRoute = ADMIN_ROUTES[name];
  return parseWire(route.reply, body, 'answer') as AdminReply<N>; // safe: parsed with this route's own schema
}
