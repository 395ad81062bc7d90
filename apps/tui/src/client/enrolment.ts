import { X509Certificate } from 'node:crypto';
import { hostname } from 'node:os';
import {
  ADMIN_ROUTES,
  type AdminInput,
  type AdminReply,
  AppError,
  errorFromBody,
  fromInstant,
  parseWire,
} from '@agent-runtime/domain';
import {
  type ClientKey,
  inviteProof,
  isCaOfInvite,
  newClientKey,
  type ParsedInvite,
  parseInvite,
  parseKeyId,
  serverIdentity,
  verifyServerProof,
} from '@agent-runtime/pki';
import type { KeyStore } from './key-store.ts';
import { plainLine, readAll } from './line.ts';

type Enrolled = AdminReply<'key.enrol'>;

export interface EnrolmentInput {
  readonly code: string;
  readonly keys: KeyStore;
  /** May the key of this instance that is here be replaced? */
  readonly mayReplace?: boolean | undefined;
  /** Sends the request on whatever line there is. */
  send(input: AdminInput<'key.enrol'>): Promise<Enrolled>;
}

/**
 * Makes a key, proves the code without sending it, and keeps what the runtime gives, once it has proved that it knows the code too.
 * @throws AppError invite.code.invalid · invite.server.unauthenticated · whatever `send` throws; nothing is kept then
 */
export async function enrol(
  input: EnrolmentInput,
): Promise<{ readonly key: ClientKey; readonly reply: Enrolled }> {
  const { makeCsr } = await import('@agent-runtime/pki/certificate');
  const invite = parseInvite(input.code);
  const key = await newClientKey();
  const request = makeCsr(key);
  const reply = await input.send({
    invite_id: invite.inviteId,
    request: Buffer.from(request).toString('base64url'),
    proof: Buffer.from(inviteProof({ invite, request })).toString('base64url'),
    name: `cli on ${hostname()}`.slice(0, 120),
  });
  verifyServerProof({
    invite,
    serverIdentity: serverIdentity(reply),
    keyId: parseKeyId(key.keyId),
    proof: new Uint8Array(Buffer.from(reply.proof, 'base64url')),
  });
  await assertIsOurs(reply, key, invite);
  // The other side says which instance it is: another runtime must not slip into the place of one that is known here.
  if (input.mayReplace !== true && input.keys.load(reply.instance_id) !== undefined) throw known(reply);
  input.keys.save(reply.instance_id, key);
  input.keys.saveCredentials(reply.instance_id, {
    certificatePem: reply.certificate,
    authorityPems: reply.authorities,
    adminUrl: reply.admin_url,
  });
  return { key, reply };
}

/** Enrols over the public address of a runtime. @throws AppError tui.url.invalid and those of `enrol` */
export async function enrolByUrl(
  input: Omit<EnrolmentInput, 'send'> & { readonly url: string },
): Promise<Enrolled> {
  const url = addressOf(input.url);
  const line = plainLine(url);
  const path = `${url.pathname.replace(/\/+$/, '')}/enrol`;
  const { reply } = await enrol({
    ...input,
    send: async (claim) => {
      const response = await line.open({ method: 'POST', path, headers: {}, body: JSON.stringify(claim) });
      const body = parseJson(await readAll(line, response));
      if (response.statusCode === 404) throw notThere(url);
      if (response.statusCode !== 200) throw errorFromBody(body) ?? notThere(url);
      return parseWire(ADMIN_ROUTES['key.enrol'].reply, body, 'answer');
    },
  });
  return reply;
}

/** The certificate is for our key and this instance, from the CA whose fingerprint the code carries. */
async function assertIsOurs(reply: Enrolled, key: ClientKey, invite: ParsedInvite): Promise<void> {
  const { readCa, verifyClientCert } = await import('@agent-runtime/pki/certificate');
  const root = readCa(derOfPem(reply.authorities[0] ?? ''));
  const certificate = verifyClientCert({
    certDer: derOfPem(reply.certificate),
    roots: [root],
    instanceId: reply.instance_id,
    // By the runtime's dates: the proof says who gave it out, and the clock of this machine may be wrong.
    nowMs: fromInstant(reply.expires_at) - 1,
  });
  if (certificate.keyId === key.keyId && isCaOfInvite(invite, root.fingerprint)) return;
  throw new AppError({
    code: 'invite.server.unauthenticated',
    kind: 'unauthenticated',
    message: 'What the server gave out does not fit the invite. Do not go on; ask the host.',
  });
}

function known(reply: Enrolled): AppError {
  return new AppError({
    code: 'tui.enrol.conflict',
    kind: 'conflict',
    message: `This machine has a key for the runtime ${reply.instance_id.slice(0, 12)}… already. If you mean to replace it, ask for another invite and add --force.`,
  });
}

function addressOf(text: string): URL {
  try {
    const url = new URL(text);
    if (url.protocol === 'https:' || url.protocol === 'http:') return url;
  } catch {
    // Falls through to the refusal.
  }
  throw new AppError({
    code: 'tui.url.invalid',
    kind: 'invalid',
    message: `"${text.slice(0, 80)}" is no address. Write it as https://agents.example.`,
  });
}

function notThere(url: URL): AppError {
  return new AppError({
    code: 'tui.enrol.missing',
    kind: 'missing',
    message: `${url.origin} enrols nobody now: no invite is open, or it is no agent-runtime. An invite lasts 10 minutes (agent-runtime invite create).`,
  });
}

function derOfPem(pem: string): Uint8Array {
  try {
    return new Uint8Array(new X509Certificate(pem).raw);
  } catch {
    return new Uint8Array();
  }
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
