import { type Accept, AppError, type Connector, type Logger } from '@agent-runtime/domain';
import type { Accepted, Engine } from '@agent-runtime/engine';

/** Tries of an event that meets a bug of ours; then it is given up, for what comes behind it would never be heard. */
const MAX_BUGS = 5;

/**
 * Begins to listen to a chat. An event counts as taken when the engine has it; what the engine refuses for good is dropped with a
 * line in the log, what it cannot take now is thrown back, so that the platform offers it again.
 */
export function listenTo(
  connector: Connector,
  engine: Pick<Engine, 'accept' | 'suggest'>,
  log: Logger,
): Promise<void> {
  const bugs = new Map<string, number>();
  const accept: Accept = async (event) => {
    try {
      const accepted = await engine.accept({
        event,
        door: 'chat',
        // A thread has a channel id of its own, so a channel is a conversation.
        conversationKey: `${event.source}/${event.channel.id}`,
      });
      bugs.delete(event.externalId);
      return takenAs(accepted);
    } catch (thrown) {
      if (isBug(thrown)) {
        const times = (bugs.get(event.externalId) ?? 0) + 1;
        bugs.set(event.externalId, times);
        if (times < MAX_BUGS) throw thrown;
        bugs.delete(event.externalId);
        log.error(
          { room: 'ingest', source: event.source, event: event.externalId, error: thrown },
          'an event met a bug again and again and is given up',
        );
        return { isAnswered: false, words: 'This could not be taken: something is broken here.' };
      }
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

function isBug(thrown: unknown): boolean {
  return !(thrown instanceof AppError) || thrown.kind === 'bug';
}

function isLasting(thrown: unknown): thrown is AppError {
  return thrown instanceof AppError && ['invalid', 'denied', 'conflict', 'missing'].includes(thrown.kind);
}
