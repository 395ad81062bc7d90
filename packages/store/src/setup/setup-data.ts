import { cpSync, existsSync, mkdirSync, readdirSync, renameSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import {
  AppError,
  type Clock,
  type Grant,
  type Ids,
  isSlug,
  type Logger,
  oneLine,
  parseWorkspaceId,
  type Store,
  type StoreTx,
  type User,
  type UserId,
  type Workspace,
  type WorkspaceFiles,
  type WorkspaceId,
} from '@agent-runtime/domain';
import { restoreLabels } from '../rebuild/index.ts';
import { syncConfig } from './sync-config.ts';

export interface SetupInput {
  readonly store: Store;
  readonly files: WorkspaceFiles;
  readonly clock: Clock;
  readonly ids: Ids;
  readonly log: Logger;
  /** data/workspaces of the new instance. */
  readonly workspacesDir: string;
  /** data.example/workspaces; undefined: begin empty. */
  readonly exampleDir: string | undefined;
  /** Short name of the first person, a slug. */
  readonly ownerName: string;
  /** Set after a lost database: key of the projector's MACs. Files then keep the labels that were written down. */
  readonly rebuiltWith?: Uint8Array;
}

export interface SetupResult {
  readonly owner: UserId;
  readonly workspaces: readonly WorkspaceId[];
  readonly contexts: readonly string[];
  /** Files that were looked at, and have a label from now on. */
  readonly blessed: number;
}

/**
 * Fills a new instance: copies the example (never over something), makes its first person with all rights, a row per workspace, the
 * person's private workspace; every file is seen once, so that it counts as staff's; then the contexts that the files describe.
 * Doing it again adds what is missing and changes nothing else.
 * @throws AppError setup.owner.invalid
 */
export async function setupData(input: SetupInput): Promise<SetupResult> {
  assertName(input.ownerName);
  copyExample(input);
  const owner = await ensureOwner(input);
  const names = readdirSync(input.workspacesDir, { withFileTypes: true }).filter(
    (entry) => entry.isDirectory() && isSlug(entry.name),
  );
  const workspaces: WorkspaceId[] = [];
  for (const { name } of names) {
    const isPrivate = name === privateName(input);
    workspaces.push(
      await ensureWorkspace(input, owner, parseWorkspaceId(name), isPrivate ? 'private' : 'community'),
    );
  }
  const recalled: WorkspaceId[] = [];
  for (const workspace of workspaces) if ((await recall(input, workspace)) > 0) recalled.push(workspace);
  // Before the settings: a workspace that asks for review would otherwise wait for a review of the files that say what it is.
  const seen = await bless(
    input,
    workspaces.filter((workspace) => !recalled.includes(workspace)),
  );
  const contexts = await syncConfig(input);
  // After the settings: where labels are known, edits since then are judged by the workspace's own rule.
  return { owner, workspaces, contexts, blessed: seen + (await bless(input, recalled)) };
}

/** @returns labels brought back */
async function recall(input: SetupInput, workspace: WorkspaceId): Promise<number> {
  const { store, workspacesDir: root, rebuiltWith: macKey } = input;
  return macKey === undefined ? 0 : restoreLabels({ store, root, macKey, workspace });
}

/** The name becomes part of a folder's name. */
function assertName(name: string): void {
  if (isSlug(name) && isSlug(privateName({ ownerName: name }))) return;
  throw new AppError({
    code: 'setup.owner.invalid',
    kind: 'invalid',
    message: `"${oneLine(name, 60)}" cannot be the first person's name: use 1 to 40 of a-z, 0-9 and hyphens inside.`,
  });
}

function privateName(input: Pick<SetupInput, 'ownerName'>): string {
  return `private-${input.ownerName}`;
}

function copyExample(input: SetupInput): void {
  mkdirSync(join(input.workspacesDir, privateName(input)), { recursive: true, mode: 0o700 });
  if (input.exampleDir === undefined || !existsSync(input.exampleDir)) return;
  for (const entry of readdirSync(input.exampleDir, { withFileTypes: true })) {
    const target = join(input.workspacesDir, entry.name);
    if (!entry.isDirectory() || !isSlug(entry.name) || existsSync(target)) continue;
    // Under another name first: a set-up that is killed leaves no half workspace behind.
    const half = join(input.workspacesDir, `.setup-${entry.name}`);
    rmSync(half, { recursive: true, force: true });
    cpSync(join(input.exampleDir, entry.name), half, { recursive: true });
    renameSync(half, target);
  }
}

async function ensureOwner(input: SetupInput): Promise<UserId> {
  const known = await input.store.read.get('identity_user', { name: input.ownerName });
  if (known !== undefined) return known.id;
  const at = input.clock.nowMs();
  const user: User = {
    id: input.ids.make('user'),
    name: input.ownerName,
    displayName: input.ownerName,
    isActive: true,
    createdAt: at,
  };
  const grant: Grant = {
    id: input.ids.make('grant'),
    principal: user.id,
    role: 'overlord',
    scope: { kind: 'all' },
    grantedBy: 'setup',
    createdAt: at,
  };
  await input.store.commit(
    { action: 'setup.owner', actor: 'setup', subject: user.id, data: { role: grant.role } },
    async (tx) => {
      await tx.insert('identity_user', user);
      await tx.insert('identity_grant', grant);
    },
  );
  return user.id;
}

async function ensureWorkspace(
  input: SetupInput,
  owner: UserId,
  id: WorkspaceId,
  kind: Workspace['kind'],
): Promise<WorkspaceId> {
  const workspace: Workspace = {
    id,
    title: kind === 'private' ? `Private to ${input.ownerName}` : titleOf(id),
    kind,
    owner,
    outsideEdits: 'staff',
    settings: {},
    createdAt: input.clock.nowMs(),
  };
  if ((await input.store.read.get('workspace', { id })) !== undefined) return id;
  const audit = { action: 'setup.workspace', actor: 'setup', subject: id, workspace: id, data: { kind } };
  await input.store.commit(audit, (tx: StoreTx) => tx.insert('workspace', workspace));
  return id;
}

function titleOf(id: string): string {
  return id.slice(0, 1).toUpperCase() + id.slice(1).replaceAll('-', ' ');
}

/** Looks at every file once: from now on its bytes are known as staff's, whatever the workspace's rule for edits becomes. */
async function bless(input: SetupInput, workspaces: readonly WorkspaceId[]): Promise<number> {
  let count = 0;
  for (const workspace of workspaces) {
    for (const { path } of await input.files.list(workspace)) {
      if (await look(input, workspace, path)) count += 1;
    }
  }
  return count;
}

/** @returns false for a file that cannot be used, e.g. one that is not UTF-8: it keeps nobody from starting */
async function look(input: SetupInput, workspace: WorkspaceId, path: string): Promise<boolean> {
  try {
    await input.files.read(workspace, path);
    return true;
  } catch (thrown) {
    if (!(thrown instanceof AppError) || !['invalid', 'denied', 'missing'].includes(thrown.kind))
      throw thrown;
    input.log.warn(
      { room: 'setup', workspace, path, code: thrown.code },
      `${path} was left out: ${thrown.message}`,
    );
    return false;
  }
}
