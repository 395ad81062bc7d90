import type { Connector } from '@agent-runtime/domain';

/**
 * A door that is asked instead of told: HTTP clients and the command line fetch a reply once it is committed, so nothing is handed
 * over and nothing can be lost on the way. Its events come in through the server that serves it, not through `start`.
 * @param options.name    `http` unless said; the command line uses `cli`
 * @param options.account `local` unless said
 */
export function pullConnector(
  options: { readonly name?: string | undefined; readonly account?: string | undefined } = {},
): Connector {
  return {
    name: options.name ?? 'http',
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
    deliver: async (_payload, { effectId, part }) => ({ externalId: `${effectId}.${part}` }),
    reconcile: async (_payload, { effectId, part }) => ({
      kind: 'sent',
      receipt: { externalId: `${effectId}.${part}` },
    }),
    start: async () => {},
    stop: async () => {},
  };
}
