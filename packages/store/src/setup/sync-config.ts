import {
  AppError,
  type Clock,
  type Context,
  canonicalJson,
  type Digest,
  INTEGRITY,
  isSameBinding,
  isSlug,
  type Json,
  type LabelledFile,
  type Logger,
  parseContextId,
  type Store,
  type Workspace,
  type WorkspaceFiles,
} from '@agent-runtime/domain';
import { WORKSPACE_FILE } from '../workspace/index.ts';
import { contextFile } from './config-files.ts';
import {
  type ContextFile,
  parseContextFile,
  parseWorkspaceFile,
  settingsOf,
  workspaceSettingsOf,
} from './config-text.ts';

export interface SyncInput {
  readonly store: Store;
  readonly files: WorkspaceFiles;
  readonly clock: Clock;
  readonly log: Logger;
  /**
   * Digest of each settings file as it was last taken, by workspace and path. Who looks again and again keeps it between two looks: a file
   * that nobody has edited since says nothing new, and must not undo what was changed by a signed request a moment ago.
   */
  readonly taken?: Map<string, Digest> | undefined;
}

/**
 * Takes staff-owned settings files into the rows: an edit of context.md or workspace.md counts from the next turn on. A file that does
 * not parse, or is not staff's, changes nothing; the last good settings stay.
 * @returns ids of what changed
 */
export async function syncConfig(input: SyncInput): Promise<readonly string[]> {
  const changed: string[] = [];
  for (const workspace of await input.store.read.find('workspace', {})) {
    if (await syncWorkspace(input, workspace)) changed.push(workspace.id);
    for (const { path } of await input.files.list(workspace.id)) {
      const id = /^contexts\/([^/]+)\/context\.md$/.exec(path)?.[1];
      if (id !== undefined && isSlug(id) && (await syncContext(input, workspace, id))) changed.push(id);
    }
  }
  return changed;
}

async function syncWorkspace(input: SyncInput, workspace: Workspace): Promise<boolean> {
  const file = await readStaff(input, workspace, WORKSPACE_FILE);
  if (isTaken(input, workspace, file)) return false;
  const said = file === undefined ? undefined : tryParse(input, workspace, file, parseWorkspaceFile);
  if (said === undefined) return false;
  const wished = workspaceSettingsOf(said);
  const settings = await withOwnBindings(input, workspace, wished);
  // A group that another workspace gives up later is asked for again.
  const isWhole = settings.bindings?.length === wished.bindings?.length;
  const keep = (): void => (isWhole ? noteTaken(input, workspace, file) : undefined);
  const next = {
    settings,
    title: said.title ?? workspace.title,
    kind: said.kind ?? workspace.kind,
    outsideEdits: said.outside_edits ?? workspace.outsideEdits,
  };
  if (
    isSame(next, {
      settings: workspace.settings,
      title: workspace.title,
      kind: workspace.kind,
      outsideEdits: workspace.outsideEdits,
    })
  ) {
    keep();
    return false;
  }
  const audit = {
    action: 'setup.sync',
    actor: 'appliance',
    subject: workspace.id,
    workspace: workspace.id,
    data: { file: WORKSPACE_FILE, hash: file?.hash },
  };
  await input.store.commit(audit, (tx) => tx.update('workspace', { id: workspace.id }, next));
  keep();
  return true;
}

/** A group that another workspace has is not taken over from there; the file's other settings count. */
async function withOwnBindings(
  input: SyncInput,
  workspace: Workspace,
  settings: Workspace['settings'],
): Promise<Workspace['settings']> {
  const { bindings = [], ...rest } = settings;
  if (bindings.length === 0) return settings;
  const others = (await input.store.read.find('workspace', {}))
    .filter((other) => other.id !== workspace.id)
    .flatMap((other) => other.settings.bindings ?? []);
  const own = bindings.filter((one) => !others.some((other) => isSameBinding(one, other)));
  if (own.length < bindings.length)
    input.log.warn(
      { room: 'setup', workspace: workspace.id, path: WORKSPACE_FILE },
      'a group that another workspace has was left out',
    );
  return own.length === 0 ? rest : { ...rest, bindings: own };
}

async function syncContext(input: SyncInput, workspace: Workspace, id: string): Promise<boolean> {
  const file = await readStaff(input, workspace, contextFile(id));
  if (isTaken(input, workspace, file)) return false;
  const said = file === undefined ? undefined : tryParse(input, workspace, file, parseContextFile);
  if (file === undefined || said === undefined) return false;
  const context = parseContextId(id);
  const row = await input.store.read.get('context', { id: context });
  // A name that another workspace uses is not taken over from there.
  if (row !== undefined && row.workspace !== workspace.id) return false;
  const audit = {
    action: 'setup.sync',
    actor: 'appliance',
    subject: id,
    workspace: workspace.id,
    context: id,
    data: { file: file.path, hash: file.hash },
  };
  if (row === undefined) {
    const fresh = newContext(input, workspace, context, said);
    if (fresh === undefined) return false;
    await input.store.commit(audit, (tx) => tx.insert('context', fresh));
    noteTaken(input, workspace, file);
    return true;
  }
  const next = { settings: settingsOf(said), openness: said.kind ?? row.openness };
  const isKnown = isSame(next, { settings: row.settings, openness: row.openness });
  if (!isKnown) await input.store.commit(audit, (tx) => tx.update('context', { id: context }, next));
  noteTaken(input, workspace, file);
  if (isKnown) return false;
  return true;
}

/** A place that the file names, or that its id says: `memory-general` is the channel `general` of the connector `memory`. */
function newContext(
  input: SyncInput,
  workspace: Workspace,
  id: Context['id'],
  said: ContextFile,
): Context | undefined {
  const [, connector, channel] = /^([a-z0-9]+)-(.+)$/.exec(id) ?? [];
  const place =
    said.place ??
    (connector === undefined || channel === undefined
      ? undefined
      : { type: 'channel' as const, connector, account: DEFAULT_ACCOUNT, channel });
  if (place === undefined || place.type === 'direct') return undefined;
  return {
    id,
    workspace: workspace.id,
    kind: place.type,
    openness: said.kind ?? 'open',
    connector: place.connector,
    account: place.account,
    channel: place.channel,
    owner: workspace.owner,
    settings: settingsOf(said),
    createdAt: input.clock.nowMs(),
  };
}

const DEFAULT_ACCOUNT = 'demo';

function isTaken({ taken }: SyncInput, { id }: Workspace, file: LabelledFile | undefined): boolean {
  return file !== undefined && taken?.get(`${id}/${file.path}`) === file.hash;
}

function noteTaken({ taken }: SyncInput, { id }: Workspace, file: LabelledFile | undefined): void {
  if (file !== undefined) taken?.set(`${id}/${file.path}`, file.hash);
}

async function readStaff(
  input: SyncInput,
  workspace: Workspace,
  path: string,
): Promise<LabelledFile | undefined> {
  try {
    const file = await input.files.readControl(workspace.id, path);
    return file !== undefined && file.label.integrity >= INTEGRITY.staff ? file : undefined;
  } catch (thrown) {
    return leaveOut(input, workspace, path, thrown);
  }
}

function tryParse<T>(
  input: SyncInput,
  workspace: Workspace,
  file: LabelledFile,
  parse: (text: string) => T,
): T | undefined {
  try {
    return parse(file.text);
  } catch (thrown) {
    return leaveOut(input, workspace, file.path, thrown);
  }
}

function leaveOut(input: SyncInput, workspace: Workspace, path: string, thrown: unknown): undefined {
  if (!(thrown instanceof AppError) || thrown.kind === 'bug' || thrown.kind === 'unavailable') throw thrown;
  input.log.warn(
    { room: 'setup', workspace: workspace.id, path, code: thrown.code },
    `${path} was left out: ${thrown.message}`,
  );
  return undefined;
}

function isSame(a: object, b: object): boolean {
  // safe: settings are plain JSON values
  return canonicalJson(a as Json) === canonicalJson(b as Json);
}
