import {
  AppError,
  type MemoryChange,
  type MemoryRow,
  parseContextId,
  type Scope,
  toInstant,
  toInstantIf,
} from '@agent-runtime/domain';
import type { Actor } from '../api.ts';
import { auditOf, contextScope, demand, maySee, refusedBy, viewerOf, workspaceScope } from './authorize.ts';
import type { AdminDeps, AdminPart } from './deps.ts';
import { missing, namesOf } from './find.ts';
import { chosenWorkspace } from './place.ts';

const SCANNED_ROWS = 2_000;

/** What was written into memory, and taking one change back. */
export const MEMORY: AdminPart<'memory.list' | 'memory.undo'> = {
  'memory.list': async (deps, actor, { workspace: name, limit }) => {
    const viewer = await viewerOf(deps, actor);
    const workspace = await chosenWorkspace(deps.store.read, viewer, 'workspace.read', name);
    const rows = await deps.store.read.find(
      'memory_change',
      { workspace: workspace.id },
      { orderBy: 'at', direction: 'desc', limit: SCANNED_ROWS },
    );
    const nameOf = await namesOf(deps.store.read);
    return {
      items: rows
        .filter((row) => viewer.may('memory.read', scopeOfMemory(row)))
        .slice(0, limit)
        .map((row) => memoryRow(row, nameOf)),
    };
  },
  'memory.undo': undo,
};

/** Puts the text before the change back, if nothing was written after it. Its entries keep the labels they had. */
async function undo(deps: AdminDeps, actor: Actor, input: { readonly id: string }) {
  const viewer = await viewerOf(deps, actor);
  const row = await findChange(deps, input.id, (found) => viewer.may('memory.read', scopeOfMemory(found)));
  const target = scopeOfMemory(row);
  const decision = await demand(deps, viewer, 'memory.undo', target);
  if (row.undoneAt !== undefined) throw alreadyUndone(row);
  const file = await deps.files.read(row.workspace, row.path);
  if (!maySee(viewer, file.label)) throw missing('change of memory', input.id);
  if (file.text !== row.after) throw writtenSince(row);
  await deps.files.write({
    workspace: row.workspace,
    path: row.path,
    text: row.before,
    label: file.label,
    expected: file.hash,
    audit: auditOf(
      actor,
      {
        verb: 'memory.undo',
        target,
        action: 'memory.undo',
        subject: row.id,
        workspace: row.workspace,
        data: { path: row.path, by: row.by },
      },
      decision,
    ),
    also: async (tx) => {
      const again = (await viewerOf(deps, actor, tx)).decide('memory.undo', target);
      if (again.kind !== 'permit') throw refusedBy(again);
      const undoneAt = deps.clock.nowMs();
      const changed = await tx.update(
        'memory_change',
        { id: row.id, undoneAt: { isNull: true } },
        { undoneAt },
      );
      if (changed === 0) throw alreadyUndone(row);
    },
  });
  return { ok: true as const, message: `${row.path} is as it was before ${row.id}.` };
}

async function findChange(
  deps: AdminDeps,
  text: string,
  isVisible: (row: MemoryChange) => boolean,
): Promise<MemoryChange> {
  const rows = await deps.store.read.find(
    'memory_change',
    { id: { gte: text, lt: `${text}~` } },
    { limit: 50 },
  );
  const visible = rows.filter(isVisible);
  const [only, ...more] = visible;
  if (only === undefined) throw missing('change of memory', text);
  if (more.length === 0) return only;
  throw new AppError({
    code: 'admin.id.conflict',
    kind: 'conflict',
    message: `"${text}" fits several: ${visible
      .slice(0, 5)
      .map((row) => row.id)
      .join(', ')}. Give more of the id.`,
  });
}

/** Memory of a context belongs to the context, everything else to the workspace. */
function scopeOfMemory(row: MemoryChange): Scope {
  const match = /^contexts\/([a-z0-9-]+)\//.exec(row.path);
  return match?.[1] === undefined
    ? workspaceScope(row.workspace)
    : contextScope({ workspace: row.workspace, context: parseContextId(match[1]) });
}

function memoryRow(row: MemoryChange, nameOf: (key: string) => string): MemoryRow {
  const before = linesOf(row.before);
  const after = linesOf(row.after);
  return {
    id: row.id,
    path: row.path,
    by: nameOf(row.by),
    run: row.run,
    at: toInstant(row.at),
    added: countMissing(after, before),
    removed: countMissing(before, after),
    undone_at: toInstantIf(row.undoneAt),
  };
}

function linesOf(text: string): readonly string[] {
  return text.split('\n').filter((line) => line.trim() !== '');
}

function countMissing(lines: readonly string[], others: readonly string[]): number {
  const known = new Set(others);
  return lines.filter((line) => !known.has(line)).length;
}

function alreadyUndone(row: MemoryChange): AppError {
  return new AppError({
    code: 'memory.change.conflict',
    kind: 'conflict',
    message: `${row.id} was already taken back.`,
  });
}

function writtenSince(row: MemoryChange): AppError {
  return new AppError({
    code: 'memory.file.conflict',
    kind: 'conflict',
    message: `${row.path} was written again after ${row.id}. Take the later changes back first (\`memory list\`), or edit the file.`,
  });
}
