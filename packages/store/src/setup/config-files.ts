import {
  AppError,
  type ConfigFiles,
  defaultAudienceOf,
  type LabelledFile,
  makeLabel,
  type WorkspaceFiles,
  type WorkspaceId,
  wsTag,
} from '@agent-runtime/domain';
import { WORKSPACE_FILE } from '../workspace/index.ts';
import { contextText, workspaceText } from './config-text.ts';

export function contextFile(context: string): string {
  return `contexts/${context}/context.md`;
}

/** Keeps the Markdown side of contexts and workspaces in step with their rows; what people wrote below the front matter stays. */
export function makeConfigFiles(
  files: WorkspaceFiles,
  makeFolder: (workspace: WorkspaceId) => Promise<void>,
): ConfigFiles {
  const save = async (
    workspace: WorkspaceId,
    path: string,
    textOf: (before: string | undefined) => string,
  ): Promise<void> => {
    await makeFolder(workspace);
    const before = await present(files, workspace, path);
    const text = textOf(before?.text);
    if (before?.text === text) return;
    await files.write({
      workspace,
      path,
      text,
      label: makeLabel(2, path === WORKSPACE_FILE ? [wsTag(workspace)] : defaultAudienceOf(workspace, path)),
      // Saved by somebody who may change the settings.
      isRaised: true,
      expected: before?.hash ?? 'absent',
      audit: { action: 'setup.save', actor: 'appliance', subject: path, workspace },
    });
  };
  return {
    saveContext: (context) =>
      save(context.workspace, contextFile(context.id), (before) => contextText(context, before)),
    saveWorkspace: (workspace) =>
      save(workspace.id, WORKSPACE_FILE, (before) => workspaceText(workspace, before)),
  };
}

async function present(
  files: WorkspaceFiles,
  workspace: WorkspaceId,
  path: string,
): Promise<LabelledFile | undefined> {
  try {
    return await files.read(workspace, path);
  } catch (thrown) {
    if (thrown instanceof AppError && thrown.kind === 'missing') return undefined;
    throw thrown;
  }
}
