import type { Clock, InboundEvent, Logger } from '@agent-runtime/domain';
import { z } from 'zod';
import { makeAlbums } from './albums.ts';
import { eventsOf } from './inbound.ts';
import type { TelegramSelf } from './place.ts';
import { makeTopics } from './topics.ts';
import { type TelegramUpdate, updateShape } from './update.ts';

/** Reads updates with what this process has heard so far. @returns as many lists of events as there were updates */
export type Reader = (updates: readonly unknown[]) => readonly (readonly InboundEvent[])[];

export interface ReaderParts {
  readonly clock: Clock;
  readonly log: Logger;
  readonly known: () => Pick<TelegramSelf, 'id' | 'username'>;
}

export function makeReader({ clock, log, known }: ReaderParts): Reader {
  const topics = makeTopics();
  const albums = makeAlbums();
  const attempt = <T>(work: () => T, otherwise: T): T => {
    try {
      return work();
    } catch (thrown) {
      // Offered again it would be the same, and nothing behind it would ever be heard.
      log.error({ at: placeOf(thrown) }, 'An update that cannot be read was left out.');
      return otherwise;
    }
  };
  const eventsIn = (update: TelegramUpdate): readonly InboundEvent[] => {
    topics.learn(update);
    const events = eventsOf(update, { ...known(), topicName: topics.nameOf }, clock.nowMs());
    return events.map((event) =>
      event.isAddressed && !albums.speaks(update) ? { ...event, isAddressed: false } : event,
    );
  };
  return (updates) => {
    const parsed = updates.map((update) => attempt(() => updateShape.parse(update), undefined));
    albums.learn(parsed.filter((update) => update !== undefined));
    return parsed.map((update) => (update === undefined ? [] : attempt(() => eventsIn(update), [])));
  };
}

/** Where in an update something was not as expected; never what stood there. */
function placeOf(thrown: unknown): string {
  return thrown instanceof z.ZodError ? (thrown.issues[0]?.path.join('.') ?? '') : 'inside';
}
