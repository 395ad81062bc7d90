import { filterReply, PUBLIC_CLEARANCE, publicLabel } from '@agent-runtime/domain';
import type { EngineDeps } from '../api.ts';
import { isGateClosed } from '../gate/gate.ts';

/** Words of the appliance itself to one direct talk that belongs to no context: no row can hold them, and they may hold a one-time code. */
export interface Words {
  /** Named in the audit event of the commit that came before, and the idempotency key outside. */
  readonly id: string;
  readonly connector: string;
  readonly account: string;
  /** A direct talk: nobody else reads there. */
  readonly channel: string;
  readonly text: string;
}

/** Says words once and keeps them nowhere: what a crash, panic or trouble outside swallows is asked for again. */
export interface Teller {
  /** Call after the commit that decided it. Returns at once; trouble goes to the log, the words never do. */
  tell(words: Words): void;
  /** Panic: stops what is on its way. */
  abort(): void;
  /** Waits for what is on its way until the deadline, then aborts it. */
  drain(deadlineMs: number): Promise<void>;
}

type TellDeps = Pick<
  EngineDeps,
  'connectors' | 'store' | 'panic' | 'clock' | 'config' | 'crash' | 'log' | 'metrics'
>;

/** The way out for words that belong to no context. Each is tried once: nothing is kept that could be tried again. */
export function makeTeller(deps: TellDeps): Teller {
  const onTheWay = new Set<Promise<void>>();
  let stop = new AbortController();
  const abort = (): void => {
    stop.abort();
    stop = new AbortController();
  };
  return {
    tell: (words) => {
      const one = say(deps, words, stop.signal)
        .catch((error: unknown) => {
          deps.log.warn({ room: 'settle', notice: words.id, error }, 'words to a direct talk did not arrive');
        })
        .finally(() => onTheWay.delete(one));
      onTheWay.add(one);
    },
    abort,
    drain: async (deadlineMs) => {
      const limit = new AbortController();
      const late = deps.clock.sleep(deadlineMs, limit.signal).then(abort);
      await Promise.all(onTheWay);
      limit.abort();
      await late;
    },
  };
}

async function say(deps: TellDeps, words: Words, stopped: AbortSignal): Promise<void> {
  const { id, connector: name, account, channel } = words;
  const connector = deps.connectors.find(
    (one) => one.name === name && one.account === account && one.delivery === 'push',
  );
  if (connector === undefined || (await isGateClosed(deps.store.read))) return;
  const { text } = filterReply({
    text: words.text,
    label: publicLabel(2),
    clearance: PUBLIC_CLEARANCE,
    trustedUrls: new Set(),
  });
  const payloads = connector.render({ text }, { address: channel, effectId: id, nowMs: deps.clock.nowMs() });
  const sink = { connector: name, account, address: channel };
  for (const [part, payload] of payloads.entries()) {
    // After panic nothing starts.
    if (deps.panic.isOn() || stopped.aborted) return;
    deps.crash.reach('tell.before');
    await limited(deps, stopped, (signal) =>
      connector.deliver(payload, { sink, effectId: id, part }, signal),
    );
    deps.crash.reach('tell.after');
  }
}

/** Waits no longer than for every delivery, and not after panic: what the connector says later is not heard. */
async function limited(
  deps: Pick<TellDeps, 'clock' | 'config'>,
  stopped: AbortSignal,
  work: (signal: AbortSignal) => Promise<unknown>,
): Promise<void> {
  const over = new AbortController();
  const signal = AbortSignal.any([stopped, over.signal]);
  const late = deps.clock.sleep(deps.config.deliverTimeoutMs, signal);
  try {
    await Promise.race([work(signal), late]);
  } finally {
    over.abort();
  }
}
