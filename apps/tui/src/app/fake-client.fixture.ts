import {
  ADMIN_ROUTES,
  ADMIN_STREAMS,
  type AdminInput,
  type AdminReply,
  type AdminRoute,
  type AdminRouteName,
  AppError,
  type ApprovalDetail,
  type AskResult,
  type AuditRow,
  type ContextDetail,
  type ErrorKind,
  type GrantRow,
  type HubRow,
  type LiveEventWire,
  parseWire,
  type SecretRow,
  type Status,
  type TaskDetail,
  type UserDetail,
  type WorkspaceDetail,
} from '@agent-runtime/domain';
import type { AdminClient, StreamEvent } from '../client/client.ts';
import type { PairingChoice, PairingClient, PendingPairing } from '../client/pairing.ts';
import {
  contextFixture,
  DIGEST,
  digestOf,
  START_MS,
  statusFixture,
  userFixture,
} from './fake-data.fixture.ts';

/** What the fake house holds; tests change it as they go. */
export interface FakeHouse {
  status: Status;
  approvals: ApprovalDetail[];
  tasks: TaskDetail[];
  runs: Map<string, AskResult>;
  users: UserDetail[];
  contexts: ContextDetail[];
  workspaces: WorkspaceDetail[];
  hubs: HubRow[];
  secrets: Map<string, SecretRow>;
  audit: AuditRow[];
  files: Map<string, string[]>;
  pairings: Map<string, PendingPairing>;
  verdict: AdminReply<'audit.verify'>;
}

export interface FakeClient extends AdminClient {
  readonly house: FakeHouse;
  readonly pairing: PairingClient;
  /** Statements that were signed, in order. */
  readonly signed: string[];
  /** What was asked, in order. */
  readonly calls: (readonly [route: AdminRouteName, input: unknown])[];
  readonly paired: PairingChoice[];
  /** An event for everybody who watches. */
  emit(event: LiveEventWire): void;
  /** A frame of a run's stream. */
  emitRun(id: string, frame: { readonly type: string; readonly [key: string]: unknown }): void;
  /** Whether the runtime answers; going away also ends the streams, unless it is silent. */
  setUp(isUp: boolean, how?: 'told' | 'silent'): void;
  /** The next call of this route is refused so. */
  refuse(route: AdminRouteName, error: AppError): void;
}

type Handlers = { readonly [N in AdminRouteName]?: (input: AdminInput<N>) => unknown };

/** An error as the server makes it. */
export function refusal(code: string, kind: ErrorKind, message: string): AppError {
  return new AppError({ code, kind, message });
}

/**
 * A small house behind the client's interface: it keeps what it is told, holds answers against the digest, and speaks only what the
 * contract allows, in both directions.
 */
export function fakeClient(given: Partial<FakeHouse> = {}): FakeClient {
  const house: FakeHouse = {
    status: statusFixture(),
    approvals: [],
    tasks: [],
    runs: new Map(),
    users: [userFixture()],
    contexts: [],
    workspaces: [],
    hubs: [],
    secrets: new Map(),
    audit: [],
    files: new Map(),
    pairings: new Map(),
    verdict: {
      ok: true,
      count: 412,
      head: `412:${DIGEST}`,
      problems: [],
      signatures: { good: 3, unchecked: 0 },
    },
    ...given,
  };
  const signed: string[] = [];
  const calls: (readonly [AdminRouteName, unknown])[] = [];
  const paired: PairingChoice[] = [];
  const refusals = new Map<AdminRouteName, AppError>();
  const streams = new Map<string, Set<Feed>>();
  const handlers = handlersOf(house);
  let isUp = true;

  const answer = async <N extends AdminRouteName>(name: N, input: AdminInput<N>): Promise<AdminReply<N>> => {
    const route: AdminRoute = ADMIN_ROUTES[name];
    const parsed = parseWire(route.input, input, 'request');
    calls.push([name, input]);
    if (!isUp)
      throw refusal(
        'tui.runtime.unavailable',
        'unavailable',
        'No runtime is running for this data folder. Start it with: npm start',
      );
    const refused = refusals.get(name);
    if (refused !== undefined) {
      refusals.delete(name);
      throw refused;
    }
    const handler = handlers[name] as ((given: unknown) => unknown) | undefined; // safe: the input was parsed for this name
    if (handler === undefined) throw refusal('tui.fake.missing', 'missing', `no answer for ${name}`);
    return parseWire(route.reply, handler(parsed), 'answer') as AdminReply<N>; // safe: parsed by this route
  };
  const send = (path: string, frame: StreamEvent): void => {
    for (const feed of streams.get(path) ?? []) feed.push(frame);
  };

  return {
    house,
    signed,
    calls,
    paired,
    call: answer,
    callUnsigned: answer,
    instanceId: async () => 'instance-1',
    stream(path, signal) {
      const feed = makeFeed(signal);
      if (!isUp) feed.end();
      const feeds = streams.get(path) ?? new Set();
      streams.set(path, feeds.add(feed));
      if (path === ADMIN_STREAMS.live && isUp) feed.push({ event: 'hello', data: '{}' });
      return feed.read(() => feeds.delete(feed));
    },
    async signDecision(canonical) {
      signed.push(canonical);
      return { keyId: 'k'.repeat(43), signature: 'AAAA' };
    },
    emit: (event) => send(ADMIN_STREAMS.live, { event: event.topic, data: JSON.stringify(event) }),
    emitRun: (id, frame) =>
      send(ADMIN_STREAMS.run.replace(':id', id), { event: frame.type, data: JSON.stringify(frame) }),
    setUp(next, how = 'told') {
      isUp = next;
      if (!next && how === 'told') for (const feeds of streams.values()) for (const feed of feeds) feed.end();
    },
    refuse: (route, error) => void refusals.set(route, error),
    pairing: {
      list: async () => [...house.pairings.values()],
      show: async (code) => pairingOf(house, code),
      async approve(choice) {
        const row = pairingOf(house, choice.code);
        paired.push(choice);
        house.pairings.delete(choice.code);
        return {
          id: 'idnt_0002',
          connector: row.connector,
          external_id: row.external_id,
          user: choice.user,
          display_name: row.display_name,
          created_at: row.created_at,
        };
      },
    },
  };
}

function pairingOf(house: FakeHouse, code: string): PendingPairing {
  const row = house.pairings.get(code);
  if (row === undefined)
    throw refusal('pair.code.missing', 'missing', 'There is no such code, or it was used already.');
  return row;
}

function handlersOf(house: FakeHouse): Handlers {
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
      items: house.tasks.map(({ door: _d, conversation: _c, runs: _r, effects: _e, ...row }) => row),
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
    'context.list': () => ({ items: house.contexts.map(contextRow) }),
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

interface Feed {
  push(frame: StreamEvent): void;
  end(): void;
  read(onEnd: () => void): AsyncIterable<StreamEvent>;
}

/** Frames as they are pushed, until the feed or the reader ends. */
function makeFeed(signal: AbortSignal): Feed {
  const waiting: StreamEvent[] = [];
  let isOver = false;
  let wake = (): void => undefined;
  const end = (): void => {
    isOver = true;
    wake();
  };
  signal.addEventListener('abort', end, { once: true });
  return {
    push(frame) {
      waiting.push(frame);
      wake();
    },
    end,
    async *read(onEnd) {
      try {
        while (!isOver || waiting.length > 0) {
          const frame = waiting.shift();
          if (frame !== undefined) yield frame;
          else
            await new Promise<void>((resolve) => {
              wake = resolve;
            });
        }
      } finally {
        onEnd();
      }
    },
  };
}
