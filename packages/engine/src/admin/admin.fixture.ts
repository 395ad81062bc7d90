import {
  ADMIN_ROUTES,
  type AdminParsed,
  type AdminReply,
  type AdminRoute,
  type AdminRouteName,
  AppError,
  type ContextId,
  type ConversationId,
  canonicalJson,
  type Grant,
  type MessageId,
  type Run,
  type SecretInfo,
  type SignatureCheck,
  type Task,
  type UserId,
} from '@agent-runtime/domain';
import type { Actor, Arrival, Engine } from '../api.ts';
import { makeEffects } from '../effects.ts';
import {
  BOSS,
  HERE_LABEL,
  must,
  signed,
  TEST_AUDIT,
  useWorld,
  WORKSPACE,
  type World,
} from '../settle/world.fixture.ts';
import type { AdminDeps, CertificateAuthority, KeyCheck } from './deps.ts';
import { ADMIN } from './index.ts';

/** Overlord of everything; the worlds of other tests have none. */
export const LORD = 'user_00000000000000000009' as UserId; // safe: alphabet of ids
export const STRANGER = 'user_00000000000000000008' as UserId; // safe: alphabet of ids
export const SOCKET: Actor = {
  principal: { kind: 'guest', connector: 'socket', sender: 'local' },
  via: 'socket',
};
export const KEY_ID = 'k'.repeat(43);

export interface AdminWorld {
  readonly world: World;
  readonly deps: AdminDeps;
  /** What reached the engine, in order. */
  readonly calls: (readonly [name: string, ...args: unknown[]])[];
  readonly arrivals: Arrival[];
  readonly secrets: Map<string, string>;
  readonly saved: string[];
  /** Asks as the command line would: parsed by the route, answer checked by the route. */
  ask<N extends AdminRouteName>(
    name: N,
    actor: Actor,
    input: Record<string, unknown>,
  ): Promise<AdminReply<N>>;
  /** A finished run of a new task of `user`. */
  finished(
    user: UserId,
    more?: Partial<Run> & { readonly title?: string; readonly in?: string; readonly parent?: Task['id'] },
  ): Promise<{ task: Task; run: Run }>;
}

/** A world of the engine's tests with an admin plane over it, an overlord, and one person without any role. */
export function useAdmin(): { readonly admin: AdminWorld } {
  const at = useWorld();
  const made = new WeakMap<World, AdminWorld>();
  return {
    get admin() {
      const { world } = at;
      const known = made.get(world) ?? makeAdmin(world);
      made.set(world, known);
      return known;
    },
  };
}

function makeAdmin(world: World): AdminWorld {
  const calls: (readonly [string, ...unknown[]])[] = [];
  const arrivals: Arrival[] = [];
  const secrets = new Map<string, string>();
  const saved: string[] = [];
  const effects = makeEffects(world.deps, { abortRuns: () => {} } as unknown as Parameters<
    typeof makeEffects
  >[1]); // safe: nothing runs here
  const note =
    (name: string) =>
    async (...args: unknown[]): Promise<never> => {
      calls.push([name, ...args]);
      return undefined as never; // safe: the tests look at the call, not at its value
    };
  const engine: Engine = {
    start: note('start'),
    drain: note('drain'),
    accept: async (arrival) => {
      arrivals.push(arrival);
      return {
        outcome: 'run',
        isRepeat: false,
        task: world.deps.ids.make('task'),
        run: world.deps.ids.make('run'),
      };
    },
    abort: async (run, actor) => {
      calls.push(['abort', run, actor]);
      return must(await world.deps.store.read.get('run', { id: run }));
    },
    retry: async (task, actor) => {
      calls.push(['retry', task, actor]);
      return must(await world.deps.store.read.get('run', { task }));
    },
    steer: note('steer'),
    approve: async (id, digest, actor) => void (await effects.approve(id, digest, actor)),
    deny: async (id, reason, actor) => void (await effects.deny(id, reason, actor)),
    release: async (id, digest, actor) => void (await effects.release(id, digest, actor)),
    withdraw: async (id, actor) => void (await effects.withdraw(id, actor)),
    edit: async (id, text, actor) => (await effects.edit(id, text, actor)).approval.id,
    resolve: async (id, outcome, actor) => void (await effects.resolve(id, outcome, actor)),
    panicOn: async (actor) => void (await effects.panicOn(actor)),
    panicOff: async (actor) => effects.panicOff(actor),
    openGate: async (actor) => effects.openGate(actor),
    revoked: note('revoked'),
    settingsChanged: note('settingsChanged'),
    suggest: async () => [],
    health: () => ({ isReady: true, reasons: [] }),
  };
  const deps: AdminDeps = {
    ...world.deps,
    routes: [
      {
        name: 'big',
        provider: 'scripted',
        model: 'm1',
        taskKinds: ['chat'],
        clearance: { kind: 'all' },
        contextTokens: 8_000,
        maxOutputTokens: 1_000,
        inputUsdMicrosPerMTok: 0,
        outputUsdMicrosPerMTok: 0,
      },
    ],
    engine,
    vault: {
      list: async (): Promise<readonly SecretInfo[]> => [
        { name: 'LLM_API_KEY', source: 'environment' },
        ...[...secrets.keys()].map((name): SecretInfo => ({ name, source: 'vault', updatedAt: 1 })),
      ],
      set: async (name, value) => void secrets.set(name, value),
      remove: async (name) => secrets.delete(name),
    },
    sealer: { seal: (plain) => `sealed(${plain})`, open: (sealed) => sealed.slice(7, -1) },
    auditCheck: world.opened.audit,
    configFiles: {
      saveContext: async (context) => void saved.push(`context ${context.id}`),
      saveWorkspace: async (workspace) => void saved.push(`workspace ${workspace.id}`),
    },
    keys: fakeKeys(world),
    authority: fakeAuthority(world),
    about: {
      instanceId: 'instance-1',
      version: '0.0.0',
      bootId: 'boot-0000000000000001',
      startedAtMs: world.clock.nowMs(),
    },
    doors: { http: { connector: 'http', account: 'local' }, cli: { connector: 'cli', account: 'test' } },
  };
  return {
    world,
    deps,
    calls,
    arrivals,
    secrets,
    saved,
    ask: async (name, actor, input) => {
      const route: AdminRoute = ADMIN_ROUTES[name];
      const parsed = route.input.parse(input) as AdminParsed<typeof name>; // safe: parsed by this route
      const answer: unknown = await ADMIN[name](deps, actor, parsed as never); // safe: the handler of this route
      return route.reply.parse(JSON.parse(JSON.stringify(answer))) as AdminReply<typeof name>; // safe: parsed by this route
    },
    finished: (user, more = {}) => finishedRun(world, user, more),
  };
}

/** Cryptography that can be read: a proof is the word `good`, a signature names what it signs. */
function fakeKeys(world: World): KeyCheck {
  let made = 0;
  return {
    newInvite: ({ nowMs, caFingerprint }) => {
      made += 1;
      return {
        code: `CODE-${made}-${caFingerprint}`,
        inviteId: world.deps.ids.make('invite'),
        proofKey: `proof-${made}`,
        expiresAtMs: nowMs + 600_000,
      };
    },
    proveEnrolment: ({ proof, expiresAtMs, nowMs, request }) => {
      if (proof !== 'good' || nowMs >= expiresAtMs) throw refused();
      return keyIn(request);
    },
    proveRequest: keyIn,
    serverProof: (invite, { key_id, authorities }) =>
      `${invite.proofKey}-${key_id.slice(0, 4)}-${1 + authorities.length}`,
    refusedInvite: refused,
    kept: fakeSignatures,
    publicKeyText: (pem) => pem,
    verifyDecision: ({ canonical, signature, publicKeyPem }) => {
      if (Buffer.from(signature, 'base64').toString() !== `${publicKeyPem}|${canonical}`)
        throw new AppError({
          code: 'signature.decision.unauthenticated',
          kind: 'unauthenticated',
          message: 'no',
        });
    },
  };
}

/** Signatures in the log, of the same readable kind; a signed request is `key method path at`. */
const fakeSignatures: SignatureCheck = {
  keyIdOf: (publicKey) => keyIn(publicKey.replace(/^PEM /, '')).keyId,
  isDecision: ({ publicKey, signed, signature }) =>
    Buffer.from(signature, 'base64').toString() === `${publicKey}|${signed}`,
  isRequest: ({ publicKey, signed, signature }) =>
    Buffer.from(signature, 'base64').toString() === `${publicKey}|${signed}`,
  readRequest: (signed) => {
    const [keyId = '', method = '', path = '', at = ''] = signed.split(' ');
    return { keyId, method, path, createdAtMs: Number(at) };
  },
};

/** A request is the name of its key. */
function keyIn(request: string): { readonly keyId: string; readonly publicKeyPem: string } {
  return { keyId: request.padEnd(43, 'x').slice(0, 43), publicKeyPem: `PEM ${request}` };
}

const DAY_MS = 86_400_000;

/** A CA that can be read: names instead of certificates. */
function fakeAuthority(world: World): CertificateAuthority {
  let made = 0;
  let cas = ['ca-1'];
  return {
    issue: async ({ publicKeyPem, user, nowMs }) => {
      made += 1;
      return {
        id: `${made}`.padStart(32, '0'),
        pem: `CERT ${user} ${publicKeyPem}`,
        issuer: cas[0] ?? '',
        createdAt: nowMs,
        expiresAt: nowMs + 30 * DAY_MS,
      };
    },
    trusted: async () =>
      cas.map((fingerprint, at) => ({
        fingerprint,
        pem: `PEM ${fingerprint}`,
        isCurrent: at === 0,
        expiresAt: world.clock.nowMs() + 3_650 * DAY_MS,
      })),
    rotate: async ({ keepOld }) => {
      cas = [`ca-${cas.length + 1}`, ...(keepOld ? cas : [])];
    },
    alarms: async (people, nowMs) =>
      people.filter((one) => nowMs > one.expiresAt - DAY_MS).map((one) => `${one.name} ends`),
    adminUrl: () => 'https://127.0.0.1:8443',
  };
}

function refused(): AppError {
  return new AppError({
    code: 'invite.proof.unauthenticated',
    kind: 'unauthenticated',
    message: 'The invite is wrong, used or over.',
  });
}

/** What the fake cryptography takes for a signature of a person's key. */
export function fakeSignature(statement: Parameters<typeof canonicalJson>[0], publicKeyPem = 'PEM'): string {
  return Buffer.from(`${publicKeyPem}|${canonicalJson(statement)}`).toString('base64');
}

/** Registers a client key of a person, as enrolment would. */
export async function giveKey(admin: AdminWorld, user: UserId, id = KEY_ID): Promise<void> {
  await admin.world.deps.store.commit(TEST_AUDIT, async (tx) =>
    tx.insert('identity_key', { id, user, publicKeyPem: 'PEM', name: 'laptop', createdAt: 1 }),
  );
}

/** Adds the overlord and the person without a role. */
export async function addPeople(admin: AdminWorld): Promise<void> {
  await admin.world.deps.store.commit(TEST_AUDIT, async (tx) => {
    for (const [id, name] of [
      [LORD, 'lord'],
      [STRANGER, 'stan'],
    ] as const)
      await tx.insert('identity_user', { id, name, displayName: name, isActive: true, createdAt: 1 });
  });
  await admin.world.grant(LORD, 'overlord');
}

/** A second workspace that nobody but the overlord and BOSS's wide grant reaches. */
export async function addWorkspace(admin: AdminWorld, id: string): Promise<void> {
  await admin.ask('workspace.create', signed(BOSS), { id });
}

/** Takes wide grants away and gives one that holds in `acme` alone. */
export async function narrow(admin: AdminWorld, user: UserId, role: Grant['role']): Promise<void> {
  await admin.world.ungrant(user);
  await admin.world.grant(user, role, { kind: 'workspace', workspace: WORKSPACE });
}

async function finishedRun(
  world: World,
  user: UserId,
  more: Partial<Run> & { readonly title?: string; readonly in?: string; readonly parent?: Task['id'] },
): Promise<{ task: Task; run: Run }> {
  const { ids, clock, store } = world.deps;
  const { title = 'a question', in: place, parent, ...patch } = more;
  const conversation: ConversationId = ids.make('conversation');
  const context = (place ?? world.context.id) as ContextId; // safe: a slug of the test
  const task: Task = {
    id: ids.make('task'),
    kind: 'chat',
    title,
    workspace: WORKSPACE,
    context,
    conversation,
    requester: { kind: 'user', user },
    requesterName: 'someone',
    door: 'cli',
    parent,
    createdAt: clock.nowMs(),
  };
  const run: Run = {
    id: ids.make('run'),
    task: task.id,
    workspace: WORKSPACE,
    context,
    conversation,
    input: ids.make('message') as MessageId,
    state: 'succeeded',
    attempt: 1,
    label: HERE_LABEL,
    createdAt: clock.nowMs(),
    finishedAt: clock.nowMs(),
    output: 'the answer',
    pendingApprovals: [],
    ...patch,
  };
  await store.commit(TEST_AUDIT, async (tx) => {
    await tx.insert('task', task);
    await tx.insert('run', run);
  });
  return { task, run };
}
