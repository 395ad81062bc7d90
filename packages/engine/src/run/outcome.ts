import { AppError } from '@agent-runtime/domain';
import type { EngineDeps } from '../api.ts';
import { fetchingDoor } from '../effect/reply.ts';
import { makeWork, queueRun } from '../ingest/work.ts';
import type { Recorded } from '../settle/index.ts';

/** The result of an approved fetch or code run starts a fresh turn in its conversation, in the name of who asked for it. */
export async function startOutcomeTurn(deps: EngineDeps, outcome: Recorded): Promise<void> {
  const { effect, message: id } = outcome;
  if (id === undefined || deps.panic.isOn()) return;
  const { read } = deps.store;
  const message = await read.get('context_message', { id });
  const context = await read.get('context', { id: effect.context });
  const conversation = message && (await read.get('context_conversation', { id: message.conversation }));
  if (message === undefined || context === undefined || conversation === undefined) return;
  const asked = effect.task === undefined ? undefined : await read.get('task', { id: effect.task });
  const work = makeWork(deps, {
    message,
    context,
    conversation,
    requester: effect.requester,
    // Its answer goes the way of the first one: to whoever fetches it, or to the place.
    door: fetchingDoor(asked?.door) ?? 'outcome',
    kind: 'chat',
    parent: asked?.id,
  });
  const audit = {
    action: 'run.outcome',
    actor: 'appliance',
    subject: work.run.id,
    workspace: context.workspace,
    context: context.id,
    data: { effect: effect.id },
  };
  try {
    await deps.store.commit(audit, async (tx) => {
      // One turn per outcome, however often it is told.
      await tx.insert('notify_notice', { key: `outcome:${effect.id}`, at: deps.clock.nowMs() });
      await tx.insert('task', work.task);
      await queueRun(tx, work.run);
    });
  } catch (thrown) {
    if (!(thrown instanceof AppError) || thrown.code !== 'database.row.conflict') throw thrown;
  }
}
