import type { Connector, Context, Door, LiveTalk } from '@agent-runtime/domain';
import { connectorOf } from '../effect/reply.ts';

/** Where an answer can be watched while it is made. */
export interface Talk {
  readonly live: LiveTalk;
  readonly address: string;
  /** The same for everything at one place. */
  readonly place: string;
}

/** The place of a question that came through a chat whose connector shows answers in the making; undefined for every other door. */
export function talkAt(
  connectors: readonly Connector[],
  context: Pick<Context, 'connector' | 'account' | 'channel'>,
  door: Door,
): Talk | undefined {
  const { connector, account, channel } = context;
  const live = door === 'chat' ? connectorOf(connectors, context)?.live : undefined;
  if (live === undefined) return undefined;
  return { live, address: channel, place: JSON.stringify([connector, account, channel]) };
}
