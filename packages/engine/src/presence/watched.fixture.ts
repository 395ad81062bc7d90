import { type MemoryLive, memoryLive } from '@agent-runtime/adapters';
import type { Connector, Draft } from '@agent-runtime/domain';
import type { Stage } from '../run/run.fixture.ts';

/** Least time between two frames in these tests, ms. */
export const EVERY_MS = 800;

/** The chat of a stage as one on which answers can be watched; the stage begins anew with it. */
export async function watchedChat(stage: Stage): Promise<MemoryLive> {
  const watched = memoryLive(stage.world.clock, EVERY_MS);
  // At once, so that most tests need not move the clock first.
  const config = { ...stage.deps.config, presence: { typingAfterMs: 0 } };
  await stage.restart({ connectors: watchable(stage, watched), config });
  return watched;
}

/** The connectors of a stage, its chat with this live talk. */
export function watchable(stage: Stage, watched: MemoryLive): readonly Connector[] {
  const { chat } = stage.world;
  const connector: Connector = {
    ...chat,
    live: watched.live,
    render: ({ text, live, replyTo, edits, buttons }: Draft) => [
      { text, live, replyTo, edits, buttons: buttons?.map(({ id }) => id) },
    ],
    deliver: async (payload, to, signal) => {
      const receipt = await chat.deliver(payload, to, signal);
      if (typeof payload.live === 'string') watched.complete(to.sink.address, payload.live);
      return receipt;
    },
  };
  return [connector, ...stage.world.deps.connectors.slice(1)];
}
