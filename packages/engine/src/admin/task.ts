import {
  AppError,
  type AskResult,
  askResult,
  type Context,
  canFlow,
  clearanceOf,
  decide,
  type Principal,
  principalKey,
  type Run,
  type StoreReader,
  showHidden,
  type Task,
  type TaskDetail,
  type TaskRow,
  toInstant,
  toInstantIf,
  WITHHELD_TEXT,
} from '@agent-runtime/domain';
import type { Actor } from '../api.ts';
import { isOthersDirect, maySee, type Viewer } from './authorize.ts';
import type { AdminDeps, AdminPart } from './deps.ts';
import { approvalOfEffect, signedViewer } from './effect.ts';
import { summaryFor } from './effect-view.ts';
import { findById, missing, namesOf } from './find.ts';
import { pageOf } from './page.ts';

const SCANNED_ROWS = 2_000;
/** So many follow-ups of one task are shown. */
const MOST_CHILDREN = 100;
const NEWEST_FIRST = { orderBy: 'createdAt', direction: 'desc', limit: SCANNED_ROWS } as const;

/** Tasks and their runs: one's own, and those of places where one is staff. */
export const TASK: AdminPart<
  'task.list' | 'task.show' | 'task.abort' | 'task.retry' | 'task.steer' | 'run.show'
> = {
  'task.list': async (deps, actor, { workspace, status, before, limit }) => {
    const viewer = await signedViewer(deps, actor);
    const { read } = deps.store;
    const where = workspace === undefined ? {} : { workspace: workspace as Task['workspace'] }; // safe: only compared with ids in the table
    const tasks = await pageOf(
      {
        noun: 'task',
        get: (id) => read.get('task', { id: id as Task['id'] }), // safe: only compared with ids in the table
        isVisible: async (row) =>
          mayLook(viewer, row.requester, await read.get('context', { id: row.context })),
        find: (from) => read.find('task', { ...where, ...from }, NEWEST_FIRST),
      },
      before,
    );
    const nameOf = await namesOf(read);
    const items: TaskRow[] = [];
    for (const task of tasks) {
      if (items.length >= limit) break;
      const seen = await seenTask(read, viewer, task);
      if (seen === undefined || (status !== undefined && seen.run.state !== status)) continue;
      const parent = await seenParent(read, viewer, task);
      items.push({ ...taskRow(viewer, seen, nameOf), parent: parent?.task.id });
    }
    return { items };
  },
  'task.show': async (deps, actor, { id }) => taskDetail(deps, actor, id),
  'task.abort': async (deps, actor, { id }) => {
    const task = await visibleTask(deps, actor, id);
    const run = await currentRun(deps.store.read, task);
    return runFor(deps, actor, await deps.engine.abort(run.id, actor));
  },
  'task.retry': async (deps, actor, { id }) => {
    const task = await visibleTask(deps, actor, id);
    return runFor(deps, actor, await deps.engine.retry(task.id, actor));
  },
  'task.steer': async (deps, actor, { id, text }) => {
    const task = await visibleTask(deps, actor, id);
    const run = await currentRun(deps.store.read, task);
    await deps.engine.steer(run.id, text, actor);
    return { ok: true, message: `${task.id} will see it with its next model call.` };
  },
  'run.show': async (deps, actor, { id }) => runFor(deps, actor, await visibleRun(deps, actor, id)),
};

/** May this person look at work that `requester` started there? */
function mayLook(viewer: Viewer, requester: Principal, context: Context | undefined): boolean {
  const request = { action: 'run.read', principal: viewer.actor.principal, requester } as const;
  return decide(request, { ...viewer.rules, context }).kind === 'permit';
}

/** A run that the actor may look at, by id or prefix. @throws AppError admin.id.missing */
export async function visibleRun(deps: AdminDeps, actor: Actor, id: string): Promise<Run> {
  const viewer = await signedViewer(deps, actor);
  const { read } = deps.store;
  return findById(read, {
    table: 'run',
    noun: 'run',
    text: id,
    isVisible: async (run) => {
      const task = await read.get('task', { id: run.task });
      return (
        task !== undefined && mayLook(viewer, task.requester, await read.get('context', { id: run.context }))
      );
    },
  });
}

async function visibleTask(deps: AdminDeps, actor: Actor, id: string): Promise<Task> {
  const viewer = await signedViewer(deps, actor);
  const { read } = deps.store;
  return findById(read, {
    table: 'task',
    noun: 'task',
    text: id,
    isVisible: async (task) =>
      mayLook(viewer, task.requester, await read.get('context', { id: task.context })),
  });
}

/**
 * A run as this person may see it. The asker sees what may be shown where it was asked; staff see what they may read by its label;
 * everyone else gets the fixed words.
 */
export async function runFor(deps: AdminDeps, actor: Actor, run: Run): Promise<AskResult> {
  const view = askResult(run);
  return view.output === undefined || (await isOutputFor(deps, actor, run))
    ? view
    : { ...view, output: WITHHELD_TEXT };
}

/** Is the text of this run for this person? Also asked for every frame of a stream. */
export async function isOutputFor(deps: AdminDeps, actor: Actor, run: Run): Promise<boolean> {
  const viewer = await signedViewer(deps, actor);
  const { read } = deps.store;
  const task = await read.get('task', { id: run.task });
  const context = await read.get('context', { id: run.context });
  if (task === undefined || context === undefined) return false;
  if (principalKey(task.requester) === principalKey(actor.principal))
    return canFlow(run.label, clearanceOf(context));
  return maySee(viewer, run.label);
}

async function latestRun(reader: StoreReader, task: Task): Promise<Run | undefined> {
  const [run] = await reader.find(
    'run',
    { task: task.id },
    { orderBy: 'attempt', direction: 'desc', limit: 1 },
  );
  return run;
}

async function currentRun(reader: StoreReader, task: Task): Promise<Run> {
  const run = await latestRun(reader, task);
  if (run === undefined) throw missing('run of task', task.id);
  return run;
}

/** What a row of a task is made of. */
interface SeenTask {
  readonly task: Task;
  readonly run: Run;
  readonly context: Context | undefined;
}

/** Undefined when this person may not look at it. */
async function seenTask(reader: StoreReader, viewer: Viewer, task: Task): Promise<SeenTask | undefined> {
  const context = await reader.get('context', { id: task.context });
  if (!mayLook(viewer, task.requester, context)) return undefined;
  const run = await latestRun(reader, task);
  return run === undefined ? undefined : { task, run, context };
}

/** Asked for itself: whoever may look at a task may not for that reason look at the one from which it came. */
async function seenParent(reader: StoreReader, viewer: Viewer, task: Task): Promise<SeenTask | undefined> {
  const parent = task.parent === undefined ? undefined : await reader.get('task', { id: task.parent });
  return parent === undefined ? undefined : seenTask(reader, viewer, parent);
}

async function seenChildren(reader: StoreReader, viewer: Viewer, task: Task): Promise<readonly SeenTask[]> {
  const rows = await reader.find('task', { parent: task.id }, { ...NEWEST_FIRST, limit: MOST_CHILDREN });
  const seen: SeenTask[] = [];
  for (const row of rows) {
    const child = await seenTask(reader, viewer, row);
    if (child !== undefined) seen.push(child);
  }
  return seen;
}

function taskRow(viewer: Viewer, row: SeenTask, nameOf: (key: string) => string): TaskRow {
  const { task, run, context } = row;
  return {
    id: task.id,
    kind: task.kind,
    status: run.state,
    // A title is the beginning of what was said.
    title: isOthersDirect(viewer, context) ? WITHHELD_TEXT : showHidden(task.title),
    workspace: task.workspace,
    context: task.context,
    requester: nameOf(principalKey(task.requester)),
    created_at: toInstant(task.createdAt),
  };
}

async function taskDetail(deps: AdminDeps, actor: Actor, id: string): Promise<TaskDetail> {
  const viewer = await signedViewer(deps, actor);
  const { read } = deps.store;
  const task = await visibleTask(deps, actor, id);
  const context = await read.get('context', { id: task.context });
  const runs = await read.find('run', { task: task.id }, { orderBy: 'attempt', direction: 'desc' });
  const [latest] = runs;
  if (latest === undefined) throw noRun(task);
  const effects = await read.find('effect', { task: task.id }, { orderBy: 'createdAt' });
  const shown: TaskDetail['effects'] = [];
  for (const effect of effects) {
    const summary = summaryFor(viewer, effect, await approvalOfEffect(read, effect));
    shown.push({ id: effect.id, kind: effect.kind, state: effect.state, summary });
  }
  const nameOf = await namesOf(read);
  const parent = await seenParent(read, viewer, task);
  const children = await seenChildren(read, viewer, task);
  return {
    ...taskRow(viewer, { task, run: latest, context }, nameOf),
    door: task.door,
    conversation: task.conversation,
    parent: parent?.task.id,
    parent_title: parent === undefined ? undefined : taskRow(viewer, parent, nameOf).title,
    children: children.map((child) => {
      const { id: of, status, title } = taskRow(viewer, child, nameOf);
      return { id: of, status, title };
    }),
    runs: runs.map((run) => ({
      id: run.id,
      status: run.state,
      attempt: run.attempt,
      created_at: toInstant(run.createdAt),
      finished_at: toInstantIf(run.finishedAt),
      pending_approvals: [...run.pendingApprovals],
      error: run.error === undefined ? undefined : { ...run.error },
    })),
    effects: shown,
  };
}

function noRun(task: Task): AppError {
  return new AppError({
    code: 'task.run.bug',
    kind: 'bug',
    message: `${task.id} has no run. The log has the details.`,
  });
}
