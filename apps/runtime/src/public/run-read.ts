import {
  AppError,
  type HttpToken,
  parseId,
  principalKey,
  type Run,
  type RunView,
  runView,
  type StoreReader,
} from '@agent-runtime/domain';

/**
 * The run of a token's own work. A run of anyone else and one that does not exist give the same answer.
 * @throws AppError public.run.missing
 */
export async function ownRun(read: StoreReader, token: HttpToken, text: string): Promise<Run> {
  const run = await findRun(read, text);
  const task = run === undefined ? undefined : await read.get('task', { id: run.task });
  if (run === undefined || task === undefined || principalKey(task.requester) !== token.id) throw missing();
  return run;
}

/** `GET /v1/runs/:id` */
export async function readRun(read: StoreReader, token: HttpToken, text: string): Promise<RunView> {
  return runView(await ownRun(read, token, text));
}

async function findRun(read: StoreReader, text: string): Promise<Run | undefined> {
  try {
    return await read.get('run', { id: parseId('run', text) });
  } catch (thrown) {
    // A malformed id is an id of nothing: a third answer would tell more than two.
    if (thrown instanceof AppError && thrown.kind === 'invalid') return undefined;
    throw thrown;
  }
}

function missing(): AppError {
  return new AppError({
    code: 'public.run.missing',
    kind: 'missing',
    message: 'There is no such run, or it is not yours.',
  });
}
