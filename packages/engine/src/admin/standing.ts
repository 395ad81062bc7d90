import {
  AppError,
  fromInstant,
  type StandingApproval,
  type StandingRow,
  toInstant,
  toInstantIf,
  type UserId,
  type WorkspaceId,
} from '@agent-runtime/domain';
import { change, type Viewer, workspaceScope } from './authorize.ts';
import type { AdminPart } from './deps.ts';
import { signedViewer } from './effect.ts';
import { findById, missing, namesOf } from './find.ts';

/** Approve-forever rules. They end by date, by count, by revocation, and with their granter's role. */
export const STANDING: AdminPart<'standing.list' | 'standing.add' | 'standing.revoke'> = {
  'standing.list': async (deps, actor, { workspace }) => {
    const viewer = await signedViewer(deps, actor);
    const rows = await deps.store.read.find(
      'approval_standing',
      {},
      { orderBy: 'createdAt', direction: 'desc' },
    );
    const nameOf = await namesOf(deps.store.read);
    return {
      items: rows
        .filter((row) => workspace === undefined || row.workspace === workspace)
        .filter((row) => isVisible(viewer, row))
        .map((row) => standingRow(row, nameOf)),
    };
  },
  'standing.add': async (deps, actor, input) => {
    const person = requirePerson(await signedViewer(deps, actor));
    const nowMs = deps.clock.nowMs();
    const endsAt = fromInstant(input.ends_at);
    if (endsAt <= nowMs) throw alreadyOver();
    const row: StandingApproval = {
      id: deps.ids.make('standing'),
      workspace: input.workspace as WorkspaceId, // safe: looked up in the transaction below
      effectKind: input.effect_kind,
      connector: input.connector,
      account: input.account,
      body:
        input.template === undefined
          ? { kind: 'recipients' }
          : { kind: 'template', template: input.template },
      recipients: input.recipients,
      perDay: input.per_day,
      maxUses: input.max_uses,
      endsAt,
      grantedBy: person,
      createdAt: nowMs,
      uses: [],
    };
    await change(deps, actor, standingChange(row, 'approval.stand'), async (tx) => {
      if ((await tx.get('workspace', { id: row.workspace })) === undefined)
        throw missing('workspace', row.workspace);
      await tx.insert('approval_standing', row);
    });
    return standingRow(row, await namesOf(deps.store.read));
  },
  'standing.revoke': async (deps, actor, { id }) => {
    const viewer = await signedViewer(deps, actor);
    const row = await findById(deps.store.read, {
      table: 'approval_standing',
      noun: 'standing',
      text: id,
      isVisible: (found) => isVisible(viewer, found),
    });
    const revokedAt = deps.clock.nowMs();
    await change(deps, actor, standingChange(row, 'approval.revoke'), async (tx) => {
      const changed = await tx.update(
        'approval_standing',
        { id: row.id, revokedAt: { isNull: true } },
        { revokedAt },
      );
      if (changed === 0) throw alreadyOver();
    });
    return standingRow({ ...row, revokedAt }, await namesOf(deps.store.read));
  },
};

function isVisible(viewer: Viewer, row: StandingApproval): boolean {
  return viewer.may('effect.read', workspaceScope(row.workspace));
}

function standingChange(row: StandingApproval, action: 'approval.stand' | 'approval.revoke') {
  return {
    verb: 'standing.set',
    target: workspaceScope(row.workspace),
    action,
    subject: row.id,
    workspace: row.workspace,
    data: {
      effectKind: row.effectKind,
      connector: row.connector,
      account: row.account,
      body: { ...row.body },
      recipients: row.recipients,
      perDay: row.perDay,
      maxUses: row.maxUses,
      endsAt: row.endsAt,
    },
  } as const;
}

function requirePerson(viewer: Viewer): UserId {
  if (viewer.person !== undefined) return viewer.person;
  throw missing('user', '');
}

function alreadyOver(): AppError {
  return new AppError({
    code: 'approval.standing.conflict',
    kind: 'conflict',
    message: 'This standing approval is already over. Give a later end, or add a new one.',
  });
}

function standingRow(row: StandingApproval, nameOf: (key: string) => string): StandingRow {
  return {
    id: row.id,
    workspace: row.workspace,
    effect_kind: row.effectKind,
    connector: row.connector,
    account: row.account,
    template: row.body.kind === 'template' ? row.body.template : undefined,
    recipients: [...row.recipients],
    per_day: row.perDay,
    max_uses: row.maxUses,
    uses: row.uses.length,
    granted_by: nameOf(row.grantedBy),
    ends_at: toInstant(row.endsAt),
    revoked_at: toInstantIf(row.revokedAt),
  };
}
