import {
  type AuditCheck,
  type AuditReader,
  type AuditVerdict,
  isRequestFor,
  mustBeSigned,
  type SignatureCheck,
  signatureVerifier,
} from '@agent-runtime/domain';

/** A log to verify: its chain with the signed heads, its records by number, the cryptography of people's signatures. */
export interface LogToVerify {
  readonly log: Pick<AuditCheck, 'verify'>;
  readonly reader: Pick<AuditReader, 'tail'>;
  readonly check: SignatureCheck;
}

/** Verifies chain, signed heads and people's signatures of a log in one pass, with or without a server around it. */
export async function verifyLog({ log, reader, check }: LogToVerify): Promise<AuditVerdict> {
  const people = signatureVerifier({
    check,
    hashAt: async (seq) => {
      const [event] = await reader.tail(1, { beforeSeq: seq + 1 });
      return event?.seq === seq ? event.hash : undefined;
    },
    mustBeSigned,
    isRequestFor,
  });
  const chain = await log.verify((event) => people.add(event));
  const { problems, good, unchecked } = people.finish();
  const all = [...chain.problems, ...problems];
  return {
    ok: all.length === 0,
    count: chain.count,
    head: chain.head,
    problems: all.map(({ kind, seq, text }) => ({ kind, seq, text })),
    signatures: { good, unchecked },
  };
}
