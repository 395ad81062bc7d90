import {
  canFlow,
  classifyPath,
  describeLabel,
  type Label,
  type LabelledFile,
  oneLine,
  parseContextId,
  type SearchHit,
  showHidden,
  type Workspace,
  wsTag,
} from '@agent-runtime/domain';
import type { Actor } from '../api.ts';
import { MEMORY, shownMemory } from '../tool/visible.ts';
import { demand, EVERYTHING, maySee, type Viewer, viewerOf, workspaceScope } from './authorize.ts';
import type { AdminDeps, AdminPart } from './deps.ts';
import { missing } from './find.ts';
import { chosenWorkspace } from './place.ts';

const MAX_SNIPPET_CHARS = 200;
const MAX_OPEN_LINES = 2_000;
/** Folders that a search reaches only when asked to. */
const RECORDS = { mail: ['email/'], logs: ['logs/'], tasks: ['tasks/', 'approvals/'] } as const;

/** Search and reading for a person at the command line. What is not for them does not exist: not in hits, not in counts. */
export const SEARCH: AdminPart<'search.query' | 'file.open'> = {
  'search.query': async (deps, actor, { q, workspace: name, in: place, limit }) => {
    const { viewer, workspace } = await reader(deps, actor, name);
    const isVisible = async (path: string): Promise<boolean> =>
      isIn(path, place) && (await readFor(deps, viewer, workspace, path)) !== undefined;
    const query = { workspace: workspace.id, text: q, limit, isVisible };
    const hits = await deps.search.search(query, new AbortController().signal);
    const items = [];
    for (const hit of hits.slice(0, limit)) {
      // The index may be older than the file, and is not trusted with who may read: look again.
      const shown = isIn(hit.path, place) ? await shownHit(deps, viewer, workspace, hit) : undefined;
      if (shown !== undefined) items.push(shown);
    }
    return { level: deps.search.level, items };
  },
  'file.open': async (deps, actor, { path, workspace: name, from = 1, to }) => {
    const { viewer, workspace } = await reader(deps, actor, name);
    const file = await readFor(deps, viewer, workspace, path);
    if (file === undefined) throw missing('file', path);
    const lines = linesOf(file.text);
    const last = Math.min(to ?? lines.length, lines.length, from + MAX_OPEN_LINES - 1);
    return {
      path: file.path,
      label: describeLabel(file.label),
      from,
      total_lines: lines.length,
      lines: lines.slice(from - 1, last).map(showHidden),
    };
  },
};

async function reader(
  deps: AdminDeps,
  actor: Actor,
  name: string | undefined,
): Promise<{ readonly viewer: Viewer; readonly workspace: Workspace }> {
  const viewer = await viewerOf(deps, actor);
  if (actor.via !== 'signed') await demand(deps, viewer, 'workspace.read', EVERYTHING);
  const workspace = await chosenWorkspace(deps.store.read, viewer, 'workspace.read', name);
  return { viewer, workspace };
}

/** Members read what belongs to the workspace; staff also what belongs to its contexts and to themselves. */
function mayRead(viewer: Viewer, workspace: Workspace, label: Label): boolean {
  if (canFlow(label, { kind: 'tags', tags: [wsTag(workspace.id)] }))
    return viewer.may('workspace.read', workspaceScope(workspace.id));
  return viewer.may('label.read', workspaceScope(workspace.id)) && maySee(viewer, label);
}

/** The file, or undefined when it is not there, not readable, or not for this person. */
async function readFor(
  deps: AdminDeps,
  viewer: Viewer,
  workspace: Workspace,
  path: string,
): Promise<LabelledFile | undefined> {
  try {
    const file = await deps.files.read(workspace.id, path);
    const fits = (label: Label): boolean => mayRead(viewer, workspace, label);
    // The label of a memory file is the join of its entries: one that is not for this person must not hide the others.
    if (MEMORY.test(path)) return await shownMemory(deps, workspace.id, file, fits);
    return fits(file.label) ? file : undefined;
  } catch (thrown) {
    // Which guard refused a path would tell whether it exists.
    deps.log.debug({ room: 'admin', error: String(thrown) }, 'a file could not be read');
    return undefined;
  }
}

async function shownHit(
  deps: AdminDeps,
  viewer: Viewer,
  workspace: Workspace,
  hit: SearchHit,
): Promise<SearchHit | undefined> {
  const file = await readFor(deps, viewer, workspace, hit.path);
  const line = file === undefined ? undefined : linesOf(file.text)[hit.line - 1];
  if (line === undefined) return undefined;
  return { path: hit.path, line: hit.line, snippet: oneLine(line, MAX_SNIPPET_CHARS), score: hit.score };
}

/** Records (mail, logs, tasks) are searched only when named, and then alone. */
function isIn(path: string, place: keyof typeof RECORDS | undefined): boolean {
  if (place !== undefined) return RECORDS[place].some((folder) => path.startsWith(folder));
  return classifyPath(path, parseContextId('none')) !== 'record';
}

function linesOf(text: string): readonly string[] {
  return text.replace(/\r?\n$/, '').split(/\r?\n/);
}
