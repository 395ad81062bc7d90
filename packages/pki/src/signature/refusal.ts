import { AppError } from '@agent-runtime/domain';

/**
 * Why a request was not taken for its signer's. The texts say what to do and nothing about which keys exist; an unknown
 * key and a wrong signature share one. Which of two reasons it was, and the times compared, go to the log.
 */
const REFUSALS = {
  unsigned: {
    code: 'signature.request.unauthenticated',
    message:
      'This request is not signed. Enrol this client (agent-runtime enrol), then run the command again.',
  },
  form: {
    code: 'signature.form.unauthenticated',
    message:
      'The signature has a form this server does not accept. Update agent-runtime on this client to the ' +
      "server's version, then run the command again.",
  },
  clock: {
    code: 'signature.clock.unauthenticated',
    message:
      'The signature is too old or from the future. Check the clock of this machine and of the server, ' +
      'then run the command again.',
  },
  boot: {
    code: 'signature.boot.unauthenticated',
    message: 'The server has restarted since this request was prepared. Run the command again.',
  },
  digest: {
    code: 'signature.digest.unauthenticated',
    message: 'The body is not the one that was signed. Run the command again.',
  },
  key: {
    code: 'signature.key.unauthenticated',
    message:
      'The signature does not match an enrolled client key. Run the command again; if it is refused again, ' +
      'enrol this client (agent-runtime enrol).',
  },
  nonce: {
    code: 'signature.nonce.unauthenticated',
    message: 'This request was received before. Run the command again to send a new one.',
  },
  decision: {
    code: 'signature.decision.unauthenticated',
    message:
      'The signature of this decision does not match its content and key. Decide again from this client.',
  },
} as const;

export type RefusalReason = keyof typeof REFUSALS;

/** @param detail for the log only */
export function refusal(reason: RefusalReason, detail?: unknown): AppError {
  return new AppError({ ...REFUSALS[reason], kind: 'unauthenticated', detail });
}
