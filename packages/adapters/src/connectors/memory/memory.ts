import { AppError, type Clock, type Connector, ERROR_KINDS, type InboundEvent } from '@agent-runtime/domain';
import { deliveryError } from '../errors.ts';
import { type MemoryChannel, toInbound, type Utterance } from './event.ts';
import { type MemoryLive, memoryLive } from './live.ts';
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
  /** Answers can be watched while they are made, a frame so often, ms. Absent: they cannot. */
  readonly liveEveryMs?: number | undefined;
}

interface Waiting {
  readonly event: InboundEvent;
  readonly tell: (result: Promise<void>) => void;
}

function isLasting(thrown: unknown): boolean {
  return thrown instanceof AppError && ERROR_KINDS[thrown.kind].retry === 'no' && thrown.kind !== 'cancelled';
}

/** A chat inside one process: people speak by `say` and `press`, and what reaches them is in `delivered`. */
export interface MemoryConnector extends Connector {
  addChannel(channel: MemoryChannel): void;
  addUser(user: { readonly id: string; readonly displayName: string }): void;
  /**
   * Resolves when the runtime has accepted it, rejects with its refusal. What is said before `start` waits for it; what was refused
   * for a passing reason, or by a crash, is offered again at the next `start`.
   * @returns its platform id
   */
  say(utterance: Utterance): Promise<string>;
  press(button: Utterance & { readonly buttonId: string }): Promise<string>;
  /** What arrived, oldest first. */
  readonly delivered: readonly Delivered[];
  /** Texts that arrived in a channel, oldest first. */
  textsIn(channel: string): readonly string[];
  addFault(fault: MemoryFault): void;
  clearFaults(): void;
  /** Signs of life, where they can be seen. */
  readonly watched: MemoryLive | undefined;
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
  let accept: ((event: InboundEvent) => Promise<unknown>) | undefined;
  let waiting: Waiting[] = [];

  const hand = async (
    event: InboundEvent,
    listener: (event: InboundEvent) => Promise<unknown>,
  ): Promise<void> => {
    try {
      await listener(event);
    } catch (thrown) {
      // Not acknowledged: as a platform would, it comes again at the next start. A lasting no is an answer.
      if (!isLasting(thrown)) waiting.push({ event, tell: () => {} });
      throw thrown;
    }
  };
  const offer = (event: InboundEvent): Promise<void> =>
    accept !== undefined ? hand(event, accept) : new Promise((tell) => waiting.push({ event, tell }));
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

  const watched =
    options.liveEveryMs === undefined ? undefined : memoryLive(options.clock, options.liveEveryMs);
  const talk = talking(receiver, account, options);

  return {
    ...talk,
    deliver: async (payload, to, signal) => {
      const receipt = await talk.deliver(payload, to, signal);
      if (typeof payload.live === 'string') watched?.complete(to.sink.address, payload.live);
      return receipt;
    },
    live: watched?.live,
    watched,
    start: async (listener) => {
      accept = listener;
      const early = waiting;
      waiting = [];
      for (const { event, tell } of early) {
        const result = hand(event, listener);
        tell(result);
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
  receiver: Pick<Receiver, 'receive' | 'find'>,
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
