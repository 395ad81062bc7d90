import { type Accept, AppError, type Connector, type Logger } from '@agent-runtime/domain';
import type { Accepted, Engine } from '@agent-runtime/engine';

/**
 * Begins to listen to a chat. An event counts as taken when the engine has it; what the engine refuses for good is dropped with a
 * line in the log, what it cannot take now is thrown back, so that the platform offers it again.
 */
export function listenTo(
  connector: Connector,
  engine: Pick<Engine, 'accept' | 'suggest'>,
  log: Logger,
): Promise<void> {
  const accept: Accept = async (event) => {
    try {
      const accepted = await engine.accept({
        event,
        door: 'chat',
        // A thread has a channel id of its own, so a channel is a conversation.
        conversationKey: `${event.source}/${event.channel.id}`,
      });
      return takenAs(accepted);
    } catch (thrown) {
      if (!isLasting(thrown)) throw thrown;
      log.info(
        { room: 'ingest', source: event.source, code: thrown.code },
        'an event was refused and is not offered again',
      );
      return { isAnswered: false, words: thrown.message };
    }
  };
  return connector.start(accept, engine.suggest);
}

function takenAs(accepted: Accepted): Awaited<ReturnType<Accept>> {
  const { outcome, isQueued, reply } = accepted;
  return { isAnswered: outcome === 'run' || isQueued === true, words: isQueued === true ? undefined : reply };
}

function isLasting(thrown: unknown): thrown is AppError {
  return thrown instanceof AppError && ['invalid', 'denied', 'conflict', 'missing'].includes(thrown.kind);
}
