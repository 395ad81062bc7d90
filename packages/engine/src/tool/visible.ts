import {
  AppError,
  type Context,
  canFlow,
  clearanceOf,
  type FileEntry,
  isCleanPath,
  join,
  type Label,
  type LabelledFile,
  type WorkspaceId,
} from '@agent-runtime/domain';
import type { EngineDeps } from '../api.ts';

type Files = Pick<EngineDeps, 'files' | 'log'>;

/** Memory files are shown entry by entry, each by its own label. */
export const MEMORY = /^(?:memory\.md|contexts\/[^/]+\/memory(?:\.md|\/[^/]+\.md))$/;

/** A file as it is shown in one place. */
export interface VisibleFile extends LabelledFile {
  /** Set for a memory file of which some entries may not be seen here: the whole file, never to be shown. */
  readonly whole?: LabelledFile | undefined;
}

/**
 * A file as the people of this context may see it: the file itself, or of a memory file the entries that fit.
 * @returns undefined when it does not exist, may not be seen here, or is refused by a guard: all three look alike
 */
export async function visibleFile(
  deps: Files,
  context: Context,
  path: string,
): Promise<VisibleFile | undefined> {
  if (!isCleanPath(path)) return undefined;
  const clearance = clearanceOf(context);
  let file: LabelledFile;
  try {
    file = await deps.files.read(context.workspace, path);
  } catch (thrown) {
    if (!(thrown instanceof AppError) || thrown.kind === 'bug' || thrown.kind === 'unavailable') throw thrown;
    return undefined;
  }
  if (MEMORY.test(path)) return visibleMemory(deps, context, file);
  return canFlow(file.label, clearance) ? file : undefined;
}

async function visibleMemory(
  deps: Files,
  context: Context,
  file: LabelledFile,
): Promise<VisibleFile | undefined> {
  const clearance = clearanceOf(context);
  return shownMemory(deps, context.workspace, file, (label) => canFlow(label, clearance));
}

/** A memory file with only the entries whose labels fit; undefined when none does. */
export async function shownMemory(
  deps: Pick<Files, 'files'>,
  workspace: WorkspaceId,
  file: LabelledFile,
  fits: (label: Label) => boolean,
): Promise<VisibleFile | undefined> {
  const entries = await deps.files.readMemory(workspace, file.path);
  const shown = entries.filter((entry) => fits(entry.label));
  if (shown.length === entries.length && fits(file.label)) return file;
  if (shown.length === 0) return undefined;
  const lines: string[] = [];
  // Line numbers stay those of the file, so that a citation can be opened; hidden entries leave empty lines.
  for (const entry of shown) {
    while (lines.length < entry.line - 1) lines.push('');
    lines.push(...entry.text.split('\n'));
  }
  const label = join(...shown.map((entry) => entry.label));
  return { ...file, text: `${lines.join('\n')}\n`, label, whole: file };
}

/** Every file of the workspace that may be seen here. */
export async function visibleFiles(
  deps: Files,
  context: Context,
  fits: (path: string) => boolean,
): Promise<readonly LabelledFile[]> {
  const entries: readonly FileEntry[] = await deps.files.list(context.workspace);
  const files: LabelledFile[] = [];
  for (const entry of entries) {
    if (!fits(entry.path)) continue;
    const file = await visibleFile(deps, context, entry.path);
    if (file !== undefined) files.push(file);
  }
  return files;
}
