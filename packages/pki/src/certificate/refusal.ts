import { AppError } from '@agent-runtime/domain';

/**
 * Why a certificate was not taken. One text per kind: it says what to do, and not which check failed; that goes to the log.
 */
const REFUSALS = {
  client: {
    code: 'certificate.client.unauthenticated',
    message:
      'This client certificate is not accepted here: it is damaged, over, or of another server. ' +
      'Enrol this client again (agent-runtime enrol).',
  },
  proxy: {
    code: 'certificate.proxy.unauthenticated',
    message:
      'The proxy did not show its own certificate, or it is over. Restart the proxy so that it loads the current one.',
  },
  server: {
    code: 'certificate.server.unauthenticated',
    message:
      'The server showed a certificate that its own CA did not make for this address. Check the address and the clock ' +
      'of this machine; if both are right, someone may be in between.',
  },
  endorsement: {
    code: 'certificate.endorsement.unauthenticated',
    message:
      'The server has a new CA that the one this client knows did not sign. Ask the person who runs the server; if they ' +
      'made a new CA from nothing, enrol this client again (agent-runtime enrol).',
  },
} as const;

export type Refused = keyof typeof REFUSALS;

/**
 * The check that failed. form: not one certificate in our outer form. issuer: no trusted CA signed it. ca: that CA is not
 * in its dates. profile: signed, but not what we would have written. dates: too early or over. host: it names others.
 * key: not by the pinned CA.
 */
export type Reason = 'form' | 'issuer' | 'ca' | 'profile' | 'dates' | 'host' | 'key';

/** @param reason for the log only */
export function refusal(refused: Refused, reason: Reason): AppError {
  return new AppError({ ...REFUSALS[refused], kind: 'unauthenticated', detail: { reason } });
}
