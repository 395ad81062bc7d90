import type { JsonObject, Receipt, Reconciled } from '@agent-runtime/domain';
import { type DeliveryFault, deliveryError } from '../errors.ts';

/** One message as the other side has it. */
export interface Delivered {
  readonly externalId: string;
  readonly address: string;
  readonly effectId: string;
  readonly part: number;
  readonly payload: JsonObject;
}

/** Trouble that waits for a delivery. */
export interface MemoryFault {
  readonly kind: DeliveryFault | 'hang';
  /** Only this part (from 0); any part when absent. */
  readonly part?: number | undefined;
  /** Only to this address. */
  readonly address?: string | undefined;
  /** How often it strikes, once unless said. */
  readonly times?: number | undefined;
  /** `uncertain` and `hang`: whether the message arrives all the same. */
  readonly doesArrive?: boolean | undefined;
  readonly retryAfterMs?: number | undefined;
}

/** Where a delivery goes. */
export interface Target {
  readonly address: string;
  readonly effectId: string;
  readonly part: number;
}

/** The far side of the memory chat: keeps what arrives, forgets nothing, breaks when told to. */
export interface Receiver {
  readonly delivered: readonly Delivered[];
  addFault(fault: MemoryFault): void;
  clearFaults(): void;
  receive(payload: JsonObject, target: Target, signal: AbortSignal): Promise<Receipt>;
  find(target: Target): Reconciled;
}

export function makeReceiver(options: {
  /** Keeps one message durable; called before it counts as delivered. */
  readonly keep: (delivered: Delivered) => void;
  readonly earlier: readonly Delivered[];
  readonly dropsRepeats: boolean;
}): Receiver {
  const delivered: Delivered[] = [...options.earlier];
  let faults: (MemoryFault & { left: number })[] = [];

  const earlierOf = (target: Target): Delivered | undefined =>
    delivered.find((one) => one.effectId === target.effectId && one.part === target.part);
  const arrive = (payload: JsonObject, target: Target): Receipt => {
    const known = options.dropsRepeats ? earlierOf(target) : undefined;
    if (known !== undefined) return { externalId: known.externalId };
    const message: Delivered = { externalId: `m${delivered.length + 1}`, ...target, payload };
    options.keep(message);
    delivered.push(message);
    return { externalId: message.externalId };
  };
  const nextFault = (target: Target): MemoryFault | undefined => {
    const fault = faults.find(
      (one) =>
        (one.part ?? target.part) === target.part && (one.address ?? target.address) === target.address,
    );
    if (fault === undefined) return undefined;
    fault.left -= 1;
    faults = faults.filter((one) => one.left > 0);
    return fault;
  };

  return {
    delivered,
    addFault: (fault) => void faults.push({ ...fault, left: fault.times ?? 1 }),
    clearFaults: () => {
      faults = [];
    },
    receive: async (payload, target, signal) => {
      if (signal.aborted) throw deliveryError('unavailable', 'Stopped before anything was sent.');
      const fault = nextFault(target);
      if (fault === undefined) return arrive(payload, target);
      if (fault.doesArrive === true) arrive(payload, target);
      if (fault.kind === 'hang') await aborted(signal);
      const kind = fault.kind === 'hang' ? 'uncertain' : fault.kind;
      throw deliveryError(kind, undefined, fault.retryAfterMs);
    },
    find: (target) => {
      const known = earlierOf(target);
      return known === undefined
        ? { kind: 'not-sent' }
        : { kind: 'sent', receipt: { externalId: known.externalId } };
    },
  };
}

function aborted(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => signal.addEventListener('abort', () => resolve(), { once: true }));
}
