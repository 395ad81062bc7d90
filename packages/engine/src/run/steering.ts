import { type Message, principalKey, type StoreReader } from '@agent-runtime/domain';
import type { RunPlace } from './session.ts';

/** Words that the sender of a running task added to it. */
export function isSteering(message: Message, place: Pick<RunPlace, 'run' | 'task' | 'input'>): boolean {
  return (
    message.seq > place.input.seq &&
    message.run === place.run.id &&
    message.direction === 'in' &&
    message.sender === principalKey(place.task.requester)
  );
}

/** Number of the newest of them, 0 when there are none. */
export async function newestSteering(
  reader: StoreReader,
  place: Pick<RunPlace, 'run' | 'task' | 'input' | 'conversation'>,
): Promise<number> {
  const [newest] = await reader.find(
    'context_message',
    {
      // Only what came after the question is looked through, however long the conversation is.
      conversation: place.conversation.id,
      seq: { gt: place.input.seq },
      run: place.run.id,
      direction: 'in',
      sender: principalKey(place.task.requester),
    },
    { orderBy: 'seq', direction: 'desc', limit: 1 },
  );
  return newest?.seq ?? 0;
}
