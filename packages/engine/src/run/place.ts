import { AppError, effectiveSettings, type RunId, type StoreReader } from '@agent-runtime/domain';
import type { RunPlace } from './session.ts';

/** Loads everything that belongs to a run. @throws AppError run.id.missing when a part of it is gone */
export async function loadPlace(read: StoreReader, id: RunId): Promise<RunPlace> {
  const run = await read.get('run', { id });
  const task = run && (await read.get('task', { id: run.task }));
  const context = run && (await read.get('context', { id: run.context }));
  const workspace = run && (await read.get('workspace', { id: run.workspace }));
  const conversation = run && (await read.get('context_conversation', { id: run.conversation }));
  const input = run && (await read.get('context_message', { id: run.input }));
  if (
    run === undefined ||
    task === undefined ||
    context === undefined ||
    workspace === undefined ||
    conversation === undefined ||
    input === undefined
  ) {
    throw new AppError({
      code: 'run.id.missing',
      kind: 'missing',
      message: `There is no ${id}, or not for you.`,
    });
  }
  return { run, task, context, conversation, input, settings: effectiveSettings(workspace, context) };
}
