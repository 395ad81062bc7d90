import { canonicalJson, type Digest } from '../base/index.ts';
import type { AuditEvent, ChainProblem } from './chain.ts';
import { type KeyBook, keyBook, textIn } from './key-book.ts';
import { type QuestionBook, questionBook } from './question-book.ts';

/** A signature as a record keeps it. */
export interface KeptSignature {
  /** base64 SPKI of the key that must have made it. */
  readonly publicKey: string;
  /** The text that was signed. */
  readonly signed: string;
  /** base64 */
  readonly signature: string;
}

/** What a signed request asked, read from the text that was signed. */
export interface AskedRequest {
  readonly keyId: string;
  readonly method: string;
  readonly path: string;
  readonly createdAtMs: number;
}

/** The cryptography of signatures by people, handed in because this floor has none. Nothing of it throws. */
export interface SignatureCheck {
  /** Id of a public key, base64 SPKI; undefined when it is none of ours. */
  keyIdOf(publicKey: string): string | undefined;
  isDecision(kept: KeptSignature): boolean;
  isRequest(kept: KeptSignature): boolean;
  /** undefined when the text is not that of a signed request. */
  readRequest(signed: string): AskedRequest | undefined;
}

/** What a verification of people's signatures found. */
export interface SignatureVerdict {
  readonly problems: readonly ChainProblem[];
  /** Signatures that are good. */
  readonly good: number;
  /** Records that stand or fall with a signature whose public key the log does not hold: neither good nor false. */
  readonly unchecked: number;
}

/** State of a verification in progress; feed it events in order, then call `finish`. */
export interface SignatureVerifier {
  add(event: AuditEvent): Promise<void>;
  finish(): SignatureVerdict;
}

export interface SignatureVerifierInput {
  readonly check: SignatureCheck;
  /** Hash of a record of the same log. */
  readonly hashAt: (seq: number) => Promise<Digest | undefined>;
  /** May this act be on record only with the signature of who ordered it? */
  readonly mustBeSigned: (action: string) => boolean;
  /** Is that the request by which this act is ordered? True for acts that it does not know. */
  readonly isRequestFor: (action: string, asked: Pick<AskedRequest, 'method' | 'path'>) => boolean;
}

type Found = { readonly kind: 'good' | 'unchecked' } | { readonly kind: 'false'; readonly text: string };

const MAX_PROBLEMS = 100;
/** Between the signing of a request and its record: the window of the door, a wait in the queue, a clock that is set. */
const REQUEST_SLACK_MS = 300_000;
/** Between the check of an answer and its record. */
const ANSWER_SLACK_MS = 60_000;

/**
 * Verifies people's signatures in a log as a stream, with nothing but the log: whoever has the database and every key of the server can
 * make a chain that fits, but not these. Each signature names its key, which an earlier record must have enrolled for the very person
 * and none has ended; an answer also names the head of the log that the person saw, so it vouches for everything before it.
 */
export function signatureVerifier(input: SignatureVerifierInput): SignatureVerifier {
  const keys = keyBook((publicKey) => input.check.keyIdOf(publicKey));
  const questions = questionBook();
  const problems: ChainProblem[] = [];
  let good = 0;
  let unchecked = 0;
  const blame = (event: AuditEvent, text: string): void => {
    if (problems.length < MAX_PROBLEMS)
      problems.push({ kind: 'signature', seq: event.seq, text: `record ${event.seq} ${text}` });
  };
  return {
    add: async (event) => {
      const found = await judge(input, keys, event);
      if (found?.kind === 'good') good += 1;
      if (found?.kind === 'unchecked') unchecked += 1;
      if (found?.kind === 'false') blame(event, found.text);
      // After its own signature: a key may order its own end.
      const fault = keys.note(event);
      if (fault !== undefined) blame(event, fault);
      const answered = follow(questions, event, found);
      if (answered === 'unchecked') unchecked += 1;
      else if (answered !== undefined) blame(event, answered.fault);
    },
    finish: () => ({ problems, good, unchecked }),
  };
}

/** @returns undefined for a record that needs no signature and has none */
async function judge(
  input: SignatureVerifierInput,
  keys: KeyBook,
  event: AuditEvent,
): Promise<Found | undefined> {
  const decision = DECISIONS[event.action];
  if (decision !== undefined && event.data.via !== 'chat')
    return judgeOne(keys, event, {
      proof: event.data,
      fault: () => decisionFault(input, event, decision),
      isGood: (kept) => input.check.isDecision(kept),
    });
  const { proof } = event.data;
  if (typeof proof === 'object' && proof !== null)
    return judgeOne(keys, event, {
      proof,
      fault: async () => requestFault(input, event, proof),
      isGood: (kept) => input.check.isRequest(kept),
    });
  const isOrdered = event.data.via === 'signed' && !REFUSALS.has(event.action);
  return isOrdered || input.mustBeSigned(event.action)
    ? { kind: 'false', text: 'tells of a signed request and holds no signature' }
    : undefined;
}

/** Nothing came of them, so nothing has to be proved. */
const REFUSALS = new Set(['approval.refuse', 'policy.deny', 'run.refuse']);

const DECISIONS: Readonly<Partial<Record<string, 'grant' | 'deny' | 'release'>>> = {
  'approval.grant': 'grant',
  'approval.deny': 'deny',
  'approval.release': 'release',
};

async function judgeOne(
  keys: KeyBook,
  event: AuditEvent,
  how: {
    readonly proof: object;
    readonly fault: () => Promise<string | undefined>;
    readonly isGood: (kept: KeptSignature) => boolean;
  },
): Promise<Found> {
  const { keyId, signature, signed } = how.proof as Readonly<Record<string, unknown>>; // safe: read as unknown
  if (typeof keyId !== 'string' || typeof signature !== 'string' || typeof signed !== 'string')
    return { kind: 'false', text: 'tells of a signed answer and holds no signature' };
  const key = keys.of(keyId);
  const name = `${keyId.slice(0, 12)}…`;
  if (key === undefined)
    return { kind: 'false', text: `is signed by a key that nobody enrolled before (${name})` };
  if (key.endedBy !== undefined)
    return { kind: 'false', text: `is signed by a key that record ${key.endedBy} had ended (${name})` };
  if (key.user !== event.actor)
    return { kind: 'false', text: `is signed by the key of somebody else (${key.user})` };
  const fault = await how.fault();
  if (fault !== undefined) return { kind: 'false', text: fault };
  if (key.publicKey === undefined) return { kind: 'unchecked' };
  return how.isGood({ publicKey: key.publicKey, signed, signature })
    ? { kind: 'good' }
    : { kind: 'false', text: `holds a signature that is not by its key (${name})` };
}

/** The words that were signed must be the record's own, before its end, on a head that stands in this log before it. */
async function decisionFault(
  input: Pick<SignatureVerifierInput, 'hashAt'>,
  event: AuditEvent,
  decision: 'grant' | 'deny' | 'release',
): Promise<string | undefined> {
  const said = statementIn(textIn(event, 'signed') ?? '');
  const own = {
    approval: event.subject,
    effect: event.data.effect,
    digest: event.data.digest,
    decision,
    expiry: said?.expiry,
    auditHead: said?.auditHead,
  };
  if (said === undefined || canonicalJson(own) !== event.data.signed)
    return 'holds a signature under other words than its own';
  if (said.expiry < event.at - ANSWER_SLACK_MS) return 'answers a question that was over';
  const [seq = '', ...hash] = said.auditHead.split(':');
  const isBefore = Number(seq) < event.seq;
  if (!isBefore || (await input.hashAt(Number(seq))) !== hash.join(':'))
    return `was signed in sight of another log: record ${seq.slice(0, 12)} is not the one that the signer saw`;
  return undefined;
}

function statementIn(text: string): { readonly expiry: number; readonly auditHead: string } | undefined {
  try {
    const { expiry, auditHead } = JSON.parse(text) as Readonly<Record<string, unknown>>; // safe: read as unknown
    return typeof expiry === 'number' && typeof auditHead === 'string' ? { expiry, auditHead } : undefined;
  } catch {
    return undefined;
  }
}

/** The request was by the same key, for this kind of act, and of this time: else it was taken from another record. */
function requestFault(input: SignatureVerifierInput, event: AuditEvent, proof: object): string | undefined {
  const { keyId, signed } = proof as Readonly<Record<string, unknown>>; // safe: read as unknown
  const asked = input.check.readRequest(String(signed));
  if (asked === undefined || asked.keyId !== keyId)
    return 'holds a signature under something else than a request';
  if (Math.abs(asked.createdAtMs - event.at) > REQUEST_SLACK_MS)
    return 'was ordered by a request of another time';
  if (!input.isRequestFor(event.action, asked))
    return `was ordered by another request (${asked.method} ${asked.path.slice(0, 80)})`;
  return undefined;
}

/** Keeps the questions and compares what is done with them. */
function follow(
  questions: QuestionBook,
  event: AuditEvent,
  found: Found | undefined,
): { readonly fault: string } | 'unchecked' | undefined {
  if (event.action === 'approval.grant') {
    if (found?.kind === 'false') return undefined;
    const surety = found === undefined ? 'chat' : found.kind === 'good' ? 'signed' : 'unchecked';
    const fault = questions.grant(event, surety);
    return fault === undefined ? undefined : { fault };
  }
  if (event.action === 'approval.stand' && found !== undefined && found.kind !== 'false')
    questions.stand(event.subject);
  return questions.note(event);
}
