import {
  AppError,
  type ConversationId,
  type Intent,
  type Principal,
  principalKey,
  type StoreReader,
} from '@agent-runtime/domain';

/** The wish of this person that waits for an OK in this conversation. */
export async function openIntentOf(
  reader: StoreReader,
  conversation: ConversationId,
  person: Principal,
  nowMs: number,
): Promise<Intent | undefined> {
  const open = await reader.find('task_intent', {
    conversation,
    state: 'asked',
    expiresAt: { gt: nowMs },
  });
  return open.find(({ requester }) => principalKey(requester) === principalKey(person));
}

/**
 * The words of a wish with a comment added.
 * @throws AppError intent.text.invalid when it grows too long to be read at once
 */
export function addTo(intent: Intent, comment: string, maxChars: number): string {
  const text = `${intent.text}\n\nAdded later: ${comment}`;
  if (text.length <= maxChars) return text;
  throw new AppError({
    code: 'intent.text.invalid',
    kind: 'invalid',
    message: `This wish would be longer than ${maxChars} characters. Say OK to it as it is, or /task with everything anew.`,
  });
}
