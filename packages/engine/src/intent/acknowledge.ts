import type {
  EffectiveSettings,
  Intent,
  Message,
  Principal,
  Run,
  StoreTx,
  Task,
  TaskId,
} from '@agent-runtime/domain';
import type { EngineDeps } from '../api.ts';
import { writeNotice } from '../notify/notice.ts';
import { hasSmallModel } from './model-sentence.ts';
import { understood } from './sentence.ts';
import { workOf } from './work.ts';

/**
 * Says what was understood of a task that begins, in the transaction that begins it: by rules at once, or by a small model as soon as that
 * has found words. The task waits for neither.
 */
export async function acknowledge(
  deps: EngineDeps,
  tx: StoreTx,
  begun: {
    readonly task: Task;
    readonly run: Run;
    readonly message: Message;
    readonly requester: Principal;
    readonly settings: EffectiveSettings;
  },
): Promise<void> {
  const { task, run, message, requester, settings } = begun;
  const nowMs = deps.clock.nowMs();
  const intent: Intent = {
    id: deps.ids.make('intent'),
    state: 'begun',
    workspace: task.workspace,
    context: task.context,
    conversation: task.conversation,
    message: message.id,
    requester,
    kind: task.kind,
    text: message.text,
    label: message.label,
    task: task.id,
    run: run.id,
    createdAt: nowMs,
    expiresAt: nowMs,
  };
  if (settings.output === 'all' && hasSmallModel(deps, intent, settings)) {
    await tx.insert('task_intent', intent);
    await tx.enqueueWork(workOf(intent));
    return;
  }
  const words = understood(task.kind, message.text);
  await sayUnderstood(deps, tx, { intent, task: task.id, message, words });
}

/** The words, in reply to the wish; silent where a place wants answers only. */
export async function sayUnderstood(
  deps: EngineDeps,
  tx: StoreTx,
  said: {
    readonly intent: Pick<Intent, 'workspace' | 'context' | 'conversation' | 'label'>;
    readonly task: TaskId;
    readonly message: Message | undefined;
    readonly words: string;
  },
): Promise<void> {
  const { intent, task, message, words } = said;
  await writeNotice(deps, tx, {
    key: `task:${task}:understood`,
    workspace: intent.workspace,
    context: intent.context,
    draft: { text: words, replyTo: message?.externalId },
    label: intent.label,
    conversation: intent.conversation,
    task,
  });
}
