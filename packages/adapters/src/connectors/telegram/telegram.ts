import type { Connector } from '@agent-runtime/domain';
import { makeAlarms } from './alarms.ts';
import { makeClient } from './client.ts';
import { deliverPayload } from './deliver.ts';
import { makeDoor } from './door.ts';
import { makeLive } from './live.ts';
import { botIdOf, type TelegramOptions, webhookTarget } from './options.ts';
import { renderDraft } from './render.ts';

/** A bot on Telegram. */
export interface TelegramConnector extends Connector {
  /**
   * Takes the body of a call to the webhook whose secret was checked.
   * @throws AppError connectors.webhook.unavailable when it could not be stored: Telegram must be told, and sends it again
   */
  receive(update: unknown): Promise<void>;
}

/** The server allows about 30; what leaves evenly may arrive in a bunch. */
const PER_SECOND = 25;

/**
 * A bot on Telegram, by long polling or webhook. Nothing is asked of the network before `start`.
 * @throws AppError connectors.telegram.invalid with what to change
 */
export function telegramConnector(options: TelegramOptions): TelegramConnector {
  const account = botIdOf(options.token());
  const target = webhookTarget(options);
  const { clock, memory } = options;
  const log = options.log.child({ room: 'connectors', connector: 'telegram' });
  const alarms = makeAlarms(log);
  const client = makeClient({ ...options, perSecond: options.perSecond ?? PER_SECOND, alarms });
  const live = makeLive({ client, memory, clock, log });
  const door = makeDoor(options, { account, target, alarms, client, log });

  return {
    name: 'telegram',
    account,
    delivery: 'push',
    // Telegram has no key for what is sent, and cannot be asked for what it has.
    dropsRepeats: false,
    render: (draft, { address }) => renderDraft(draft, address, options.maxParts),
    deliver: (payload, to, signal) =>
      deliverPayload({ client, clock, live, log, onMoved: door.tellMoved }, payload, to, signal),
    reconcile: async () => ({ kind: 'unknown' }),
    start: door.start,
    stop: door.stop,
    receive: door.receive,
    live,
    trouble: () => alarms.words(),
  };
}
