import { AppError, type ErrorKind } from '@agent-runtime/domain';

/** Kinds that `deliver` may throw. */
export type DeliveryFault = Extract<ErrorKind, 'unavailable' | 'exhausted' | 'rejected' | 'uncertain'>;

const MESSAGES: Readonly<Record<DeliveryFault, string>> = {
  unavailable: 'The chat cannot be reached. Nothing was sent; it is tried again later.',
  exhausted: 'The chat asks to slow down. Nothing was sent; it is tried again later.',
  rejected: 'The chat refuses this message for good.',
  uncertain: 'The line broke while sending. Nobody knows whether the message arrived.',
};

/** @param why replaces the usual sentence; must be safe to show anyone */
export function deliveryError(kind: DeliveryFault, why?: string, retryAfterMs?: number): AppError {
  return new AppError({
    code: `connectors.delivery.${kind}`,
    kind,
    message: why ?? MESSAGES[kind],
    ...(retryAfterMs === undefined ? {} : { retryAfterMs }),
  });
}
