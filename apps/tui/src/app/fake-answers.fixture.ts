import type {
  AdminInput,
  AdminRouteName,
  ApprovalDetail,
  ContextDetail,
  GrantRow,
  HubRow,
  TaskDetail,
  UserDetail,
  WorkspaceDetail,
} from '@agent-runtime/domain';
import { contextFixture, digestOf, START_MS, userFixture } from './fake-data.fixture.ts';
import { type FakeHouse, refusal } from './fake-house.fixture.ts';

/** What the house answers, route by route; an answer is held against the contract by whoever passes it on. */
export type Handlers = { readonly [N in AdminRouteName]?: (input: AdminInput<N>) => unknown };

/** The answers of a house; they change it as the real ones would. */
export function handlersOf(house: FakeHouse): Handlers {
  const grantOf = (user: UserDetail, id: string): GrantRow | undefined =>
    user.grants.find((one) => one.id === id);
  const task = (id: string): TaskDetail =>
    found(
      house.tasks.find((one) => one.id === id),
      'task',
    );
  const user = (id: string): UserDetail =>
    found(
      house.users.find((one) => one.id === id || one.name === id),
      'user',
    );
  const context = (id: string): ContextDetail =>
    found(
      house.contexts.find((one) => one.id === id),
      'context',
    );
  const hub = (id: string): HubRow => found(house.hubs.filter((one) => one.id === id)[0], 'hub');
  const change = (id: string, part: Partial<UserDetail>): UserDetail => {
    house.users = house.users.map((one) => (one.id === id ? { ...one, ...part } : one));
    return user(id);
  };
  return {
    'status.read': () => ({ ...house.status, approvals_pending: pendingOf(house).length }),
    'identity.whoami': () => found(house.users[0], 'user'),
    'approval.list': ({ limit = 50 }) => ({
      items: pendingOf(house).slice(0, Number(limit)).map(approvalRow),
    }),
    'approval.show': ({ id }) => approvalOf(house, id),
    'approval.grant': (vote) => settle(house, vote, 'granted'),
    'approval.deny': (vote) => settle(house, vote, 'denied'),
    'approval.release': (vote) => settle(house, vote, 'pending'),
    'approval.withdraw': ({ id }) => changeApproval(house, id, { state: 'withdrawn' }),
    'approval.edit': ({ id, text }) => editApproval(house, id, text),
    'task.list': () => ({
      items: house.tasks.map(
        ({ door: _d, conversation: _c, runs: _r, effects: _e, children: _b, parent_title: _p, ...row }) =>
          row,
      ),
    }),
    'task.show': ({ id }) => task(id),
    'task.abort': ({ id }) => ({ run_id: task(id).runs[0]?.id ?? '', status: 'aborting' }),
    'task.retry': ({ id }) => ({ run_id: task(id).runs[0]?.id ?? '', status: 'queued' }),
    'task.steer': () => ({ ok: true, message: 'It reads that before its next step.' }),
    'effect.resolve': ({ outcome }) => ({ ok: true, message: `It counts as ${outcome}.` }),
    'run.show': ({ id }) => found(house.runs.get(id), 'run'),
    'ask.post': ({ context: where }) => ({
      run_id: 'run_ask1',
      task_id: 'task_ask1',
      context: where ?? 'cli-ada',
    }),
    'context.list': () => ({ items: house.contexts.map(contextRow), unbound: house.unbound }),
    'context.show': ({ id }) => context(id),
    'context.set': ({ id, ...patch }) => {
      house.contexts = house.contexts.map((one) =>
        one.id === id ? { ...one, ...inherited(given(patch)) } : one,
      );
      return context(id);
    },
    'workspace.list': () => ({
      items: house.workspaces.map(({ id, title, kind, owner, role }) =>
        given({ id, title, kind, owner, role }),
      ),
    }),
    'workspace.show': ({ id }) =>
      found(
        house.workspaces.find((one) => one.id === id),
        'workspace',
      ),
    'workspace.set': ({ id, ...patch }) => {
      house.workspaces = house.workspaces.map((one) =>
        one.id === id ? ({ ...one, ...given(patch) } as WorkspaceDetail) : one,
      ); // safe: the answer is parsed by its route
      return found(
        house.workspaces.find((one) => one.id === id),
        'workspace',
      );
    },
    'hub.list': () => ({ items: house.hubs }),
    'hub.approve': ({ id, workspaces }) => {
      const made: HubRow = { ...hub(id), state: 'active', cleared_for: workspaces, approved_by: 'ada' };
      house.hubs = [...house.hubs.filter((one) => one.connector !== made.connector), made];
      return made;
    },
    'hub.rm': ({ id }) => {
      const row = hub(id);
      house.hubs = house.hubs.filter((one) => one !== row);
      return row;
    },
    'file.open': ({ path }) => {
      const lines = found(house.files.get(path), 'file');
      return { path, label: 'owned by staff, for this workspace', from: 1, total_lines: lines.length, lines };
    },
    'user.list': () => ({
      items: house.users.map(({ grants: _g, keys: _k, identities: _i, tokens: _t, ...row }) => row),
    }),
    'user.show': ({ id }) => user(id),
    'user.add': ({ name, display_name }) => {
      const made = userFixture({
        id: `user_${name}`,
        name,
        display_name: display_name ?? name,
        grants: [],
        keys: [],
        identities: [],
        tokens: [],
      });
      house.users = [...house.users, made];
      const { grants: _g, keys: _k, identities: _i, tokens: _t, ...row } = made;
      return row;
    },
    'user.offboard': ({ id }) =>
      change(user(id).id, { is_active: false, grants: [], keys: [], identities: [], tokens: [] }),
    'grant.who': () => ({ items: house.users.flatMap((one) => one.grants) }),
    'grant.add': ({ user: id, role, scope, expires_at }) => {
      const one = user(id);
      const grant = given({
        id: 'grnt_0009',
        principal: `user:${one.id}`,
        name: one.name,
        role,
        scope,
        granted_by: 'ada',
        expires_at,
      });
      change(one.id, { grants: [...one.grants, grant] });
      return grant;
    },
    'grant.rm': ({ id }) => {
      const one = found(
        house.users.find((person) => grantOf(person, id) !== undefined),
        'grant',
      );
      const grant = found(grantOf(one, id), 'grant');
      change(one.id, { grants: one.grants.filter((held) => held.id !== id) });
      return grant;
    },
    'invite.create': () => ({
      code: 'inv_code_words',
      user: 'ada',
      expires_at: new Date(START_MS + 3_600_000).toISOString(),
    }),
    'secret.list': () => ({ items: [...house.secrets.values()] }),
    'secret.set': ({ name }) => {
      house.secrets.set(name, { name, source: 'vault', updated_at: new Date(START_MS).toISOString() });
      return { ok: true, message: `${name} is kept.` };
    },
    'secret.rm': ({ name }) => {
      house.secrets.delete(name);
      return { ok: true, message: `${name} is forgotten.` };
    },
    'audit.tail': ({ subject, action }) => ({
      items: house.audit.filter(
        (row) =>
          (subject === undefined || row.subject === subject) &&
          (action === undefined || row.action === action),
      ),
    }),
    'audit.verify': () => house.verdict,
    'explain.id': ({ id }) => ({
      id,
      events: house.audit
        .filter((row) => row.subject === id)
        .map(({ seq, at, action, actor }) => ({
          seq,
          at,
          action,
          actor,
          decision: 'ask',
          reasons: ['a message to an open channel is asked for'],
        })),
    }),
    'panic.on': () => {
      house.status = {
        ...house.status,
        panic: { on: true, by: 'ada', at: new Date(START_MS).toISOString() },
      };
      return house.status.panic;
    },
    'panic.off': () => {
      house.status = { ...house.status, panic: { on: false } };
      return house.status.panic;
    },
    'gate.open': () => {
      house.status = { ...house.status, gate: { closed: false } };
      return house.status.gate;
    },
    'model.list': () => ({
      items: [
        { name: 'glm-main', provider: 'zai', model: 'glm-5', task_kinds: ['chat'], context_tokens: 128_000 },
      ],
    }),
  };
}

function found<T>(value: T | undefined, noun: string): T {
  if (value === undefined)
    throw refusal(`admin.${noun}.missing`, 'missing', `There is no such ${noun}, or it is not for you.`);
  return value;
}

function given<T extends object>(value: T): T {
  return Object.fromEntries(Object.entries(value).filter(([, member]) => member !== undefined)) as T; // safe: only optional members can be undefined
}

/** null goes back to what is inherited: here, what a fresh context has. */
function inherited(patch: Readonly<Record<string, unknown>>): Partial<ContextDetail> {
  const fresh: Readonly<Record<string, unknown>> = { ...contextFixture() };
  return Object.fromEntries(
    Object.entries(patch).map(([name, value]) => [name, value === null ? fresh[name] : value]),
  );
}

function contextRow({ id, workspace, title, kind, openness, connector, account, channel }: ContextDetail) {
  return { id, workspace, title, kind, openness, connector, account, channel };
}

function pendingOf(house: FakeHouse): readonly ApprovalDetail[] {
  return house.approvals.filter((one) => one.state === 'pending');
}

function approvalRow(one: ApprovalDetail) {
  const { id, effect, kind, tier, state, summary, workspace, context, requester, created_at, expires_at } =
    one;
  return { id, effect, kind, tier, state, summary, workspace, context, requester, created_at, expires_at };
}

function approvalOf(house: FakeHouse, id: string): ApprovalDetail {
  return found(
    house.approvals.find((one) => one.id === id),
    'approval',
  );
}

function changeApproval(house: FakeHouse, id: string, part: Partial<ApprovalDetail>): ApprovalDetail {
  house.approvals = house.approvals.map((one) => (one.id === id ? { ...one, ...part } : one));
  return approvalOf(house, id);
}

/** An answer counts for the digest that is there, and for no other. */
function settle(
  house: FakeHouse,
  vote: { readonly id: string; readonly digest: string; readonly reason?: string | undefined },
  state: ApprovalDetail['state'],
): ApprovalDetail {
  const approval = approvalOf(house, vote.id);
  if (approval.digest !== vote.digest)
    throw refusal(
      'approval.digest.conflict',
      'conflict',
      'The bytes changed since you looked. Look again before you decide.',
    );
  return changeApproval(house, vote.id, { state, missing_releases: [] });
}

function editApproval(house: FakeHouse, id: string, text: string): ApprovalDetail {
  const old = approvalOf(house, id);
  changeApproval(house, id, { state: 'superseded' });
  const bytes = old.bytes === undefined ? {} : { bytes: { ...old.bytes, payloads: [{ text }] } };
  const made: ApprovalDetail = {
    ...old,
    ...bytes,
    id: 'appr_edit',
    effect: 'efct_edit',
    digest: digestOf(9_999),
    summary: 'post to #news (edited)',
    state: 'pending',
  };
  house.approvals = [...house.approvals, made];
  return made;
}
