import {
  AppError,
  type Effect,
  type LabelledFile,
  type LineDiff,
  lineDiff,
  type WorkspaceFiles,
} from '@agent-runtime/domain';
import { EFFECT_KIND } from './kind.ts';

/** What a proposed write does to its file; `changed` when the file is not the one that it was proposed for. */
export type FileChange =
  | { readonly kind: 'diff'; readonly diff: LineDiff; readonly before: LabelledFile | undefined }
  | { readonly kind: 'changed' };

/**
 * The change that a write proposes, from the file as it is now.
 * @returns undefined for effects that write no file
 */
export async function fileChange(
  files: Pick<WorkspaceFiles, 'read'>,
  effect: Effect,
): Promise<FileChange | undefined> {
  const [payload] = effect.payloads;
  if (effect.kind !== EFFECT_KIND.write || payload === undefined) return undefined;
  const { path, text, expected } = payload;
  if (typeof path !== 'string' || typeof text !== 'string') return undefined;
  const before = await present(files, effect, path);
  if (before === 'unreadable' || (before?.hash ?? 'absent') !== expected) return { kind: 'changed' };
  return { kind: 'diff', diff: lineDiff(before?.text ?? '', text), before };
}

/** For the card: how many lines. Nothing where the file is another by now. */
export async function countsOf(
  files: Pick<WorkspaceFiles, 'read'>,
  effect: Effect,
): Promise<string | undefined> {
  // A file that may not be seen where the card is shown counts as absent: whether it is there stays unsaid.
  const isFresh = effect.payloads[0]?.expected === 'absent';
  const change = await fileChange(isFresh ? NO_FILES : files, effect);
  return change?.kind === 'diff' ? `+${change.diff.added} -${change.diff.removed} lines` : undefined;
}

const NO_FILES: Pick<WorkspaceFiles, 'read'> = {
  read: (_workspace, path) =>
    Promise.reject(
      new AppError({ code: 'effect.file.missing', kind: 'missing', message: `There is no ${path}.` }),
    ),
};

async function present(
  files: Pick<WorkspaceFiles, 'read'>,
  effect: Effect,
  path: string,
): Promise<LabelledFile | 'unreadable' | undefined> {
  try {
    return await files.read(effect.workspace, path);
  } catch (thrown) {
    if (!(thrown instanceof AppError)) throw thrown;
    return thrown.kind === 'missing' ? undefined : 'unreadable';
  }
}
