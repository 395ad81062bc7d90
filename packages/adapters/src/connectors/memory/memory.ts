import type { Clock, Connector, InboundEvent } from '@agent-runtime/domain';
import { deliveryError } from '../errors.ts';
import { type MemoryChannel, toInbound, type Utterance } from './event.ts';
import { MEMORY_LIMIT_CHARS, renderMemory } from './payload.ts';
import { type Delivered, type MemoryFault, makeReceiver, type Receiver } from './receiver.ts';

export interface MemoryOptions {
  readonly clock: Clock;
  /** `demo` unless said. */
  readonly account?: string | undefined;
  readonly limitChars?: number | undefined;
  /** Does the far side drop a repeat of one effect and part? True unless said. */
  readonly dropsRepeats?: boolean | undefined;
  /** Can a lost message be looked up? True unless said; else every `reconcile` is `unknown`. */
  readonly canReconcile?: boolean | undefined;
}

/** A chat inside one process: people speak by `say` and `press`, and what reaches them is in `delivered`. */
export interface MemoryConnector extends Connector {
  addChannel(channel: MemoryChannel): void;
  addUser(user: { readonly id: string; readonly displayName: string }): void;
  /** Resolves when the runtime has accepted it; what is said before `start` waits for it. @returns its platform id */
  say(utterance: Utterance): Promise<string>;
  press(button: Utterance & { readonly buttonId: string }): Promise<string>;
  /** What arrived, oldest first. */
  readonly delivered: readonly Delivered[];
  /** Texts that arrived in a channel, oldest first. */
  textsIn(channel: string): readonly string[];
  addFault(fault: MemoryFault): void;
  clearFaults(): void;
}

export function memoryConnector(options: MemoryOptions): MemoryConnector {
  const receiver = makeReceiver({
    keep: () => {},
    earlier: [],
    dropsRepeats: options.dropsRepeats ?? true,
  });
  const account = options.account ?? 'demo';
  const channels = new Map<string, MemoryChannel>();
  const users = new Map<string, string>();
  let said = 0;
  let accept: ((event: InboundEvent) => Promise<void>) | undefined;
  let waiting: { readonly event: InboundEvent; readonly hand: (result: Promise<void>) => void }[] = [];

  const offer = (event: InboundEvent): Promise<void> =>
    accept !== undefined ? accept(event) : new Promise((hand) => waiting.push({ event, hand }));
  const say = async (utterance: Utterance): Promise<string> => {
    said += 1;
    const event = toInbound(utterance, {
      source: `memory:${account}`,
      externalId: `in${said}`,
      nowMs: options.clock.nowMs(),
      channel: channels.get(utterance.channel),
      displayName: users.get(utterance.sender),
    });
    await offer(event);
    return event.externalId;
  };

  return {
    ...talking(receiver, account, options),
    start: async (listener) => {
      accept = listener;
      const early = waiting;
      waiting = [];
      for (const { event, hand } of early) {
        const result = listener(event);
        hand(result);
        // In order; a refusal belongs to who spoke.
        await result.catch(() => {});
      }
    },
    stop: async () => {
      accept = undefined;
    },
    addChannel: (channel) => void channels.set(channel.id, channel),
    addUser: (user) => void users.set(user.id, user.displayName),
    say,
    press: (button) => say({ ...button, kind: 'button' }),
    delivered: receiver.delivered,
    textsIn: (channel) =>
      receiver.delivered
        .filter(({ address }) => address === channel)
        .map(({ payload }) => String(payload.text)),
    addFault: receiver.addFault,
    clearFaults: receiver.clearFaults,
  };
}

/** The outgoing half, the same for both modes of the memory chat. */
export function talking(
  receiver: Receiver,
  account: string,
  options: Omit<MemoryOptions, 'clock'>,
): Pick<Connector, 'name' | 'account' | 'delivery' | 'dropsRepeats' | 'render' | 'deliver' | 'reconcile'> {
  const limitChars = options.limitChars ?? MEMORY_LIMIT_CHARS;
  return {
    name: 'memory',
    account,
    delivery: 'push',
    dropsRepeats: options.dropsRepeats ?? true,
    render: (draft, context) => renderMemory(draft, context, limitChars),
    deliver: async (payload, { sink, effectId, part }, signal) => {
      // What was approved names its channel; another one would be another effect.
      if (payload.channel !== sink.address)
        throw deliveryError('rejected', 'The message names another channel than its effect.');
      return receiver.receive(payload, { address: sink.address, effectId, part }, signal);
    },
    reconcile: async (_payload, { sink, effectId, part }) =>
      options.canReconcile === false
        ? { kind: 'unknown' }
        : receiver.find({ address: sink.address, effectId, part }),
  };
}
