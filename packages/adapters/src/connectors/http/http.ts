import type { Connector } from '@agent-runtime/domain';
import { deliveryError } from '../errors.ts';

/**
 * A door that is asked instead of told: HTTP clients and the command line fetch a reply once it is committed, so nothing is handed
 * over and nothing can be lost on the way. Its events come in through the server that serves it, not through `start`.
 * @param options.name    `http` unless said; the command line uses `cli`
 * @param options.account `local` unless said
 */
export function pullConnector(
  options: { readonly name?: string | undefined; readonly account?: string | undefined } = {},
): Connector {
  const name = options.name ?? 'http';
  return {
    name,
    account: options.account ?? 'local',
    delivery: 'pull',
    dropsRepeats: true,
    render: (draft, { address }) => [
      {
        channel: address,
        text: draft.text,
        ...(draft.replyTo === undefined ? {} : { reply_to: draft.replyTo }),
        ...(draft.buttons === undefined || draft.buttons.length === 0
          ? {}
          : { buttons: draft.buttons.map(({ id, label }) => ({ id, label })) }),
      },
    ],
    // Whoever calls this has mistaken a door for a chat: nothing could ever arrive.
    deliver: async () => {
      throw deliveryError('rejected', `Answers of ${name} are fetched; nothing can be sent there.`);
    },
    reconcile: async () => ({ kind: 'unknown' }),
    start: async () => {},
    stop: async () => {},
  };
}
