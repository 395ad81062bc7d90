import type { Message, StoreTx, Task } from '@agent-runtime/domain';
import type { EngineDeps } from '../api.ts';
import { writeNotice } from '../notify/notice.ts';
import { understood } from './sentence.ts';

/** Says what was understood of a task that begins, in the transaction that begins it. */
export async function acknowledge(
  deps: EngineDeps,
  tx: StoreTx,
  begun: { readonly task: Task; readonly message: Message },
): Promise<void> {
  const { task, message } = begun;
  await writeNotice(deps, tx, {
    key: `task:${task.id}:understood`,
    workspace: task.workspace,
    context: task.context,
    draft: { text: understood(task.kind, message.text), replyTo: message.externalId },
    label: message.label,
    conversation: task.conversation,
    task: task.id,
  });
}
