import {
  ADMIN_ROUTES,
  type AdminInput,
  type AdminRoute,
  type AdminRouteName,
  AppError,
  type Clock,
  type ContextId,
  makeRedactor,
  type Run,
  type TaskId,
  type UserId,
  type WorkspaceId,
  writeInput,
} from '@agent-runtime/domain';
import type { Engine } from '@agent-runtime/engine';
import { BOOT_HEADER, type ClientKey, newClientKey, SOCKET_AUTHORITY, signRequest } from '@agent-runtime/pki';
import { type OpenStore, openMemoryStore } from '@agent-runtime/store';
import {
  crashPoints,
  type ManualClock,
  type MemoryLiveFeed,
  manualClock,
  memoryLiveFeed,
  memoryPanic,
  noMetrics,
  type RecordingLogger,
  recordingLogger,
  seededIds,
} from '@agent-runtime/testkit';
import type { Hono } from 'hono';
import { type Authority, openAuthority } from '../authority/authority.ts';
import type { AuthorityState } from '../authority/authority-file.ts';
import { makeAdminApp } from './app.ts';
import type { AdminParts } from './deps.ts';

export const LORD = 'user_00000000000000000009' as UserId; // safe: alphabet of ids
export const MEMBER = 'user_00000000000000000004' as UserId; // safe: alphabet of ids
export const ACME = 'acme' as WorkspaceId; // safe: a slug
const AUDIT = { action: 'test.change', actor: 'test', subject: 'world' };

export interface DoorWorld {
  readonly parts: AdminParts;
  readonly app: Hono;
  readonly ca: Authority;
  readonly clock: ManualClock;
  readonly live: MemoryLiveFeed;
  readonly log: RecordingLogger;
  readonly opened: OpenStore;
  readonly key: ClientKey;
  readonly runs: Run[];
  /** Adds a key row. */
  enrolled(key: ClientKey, user: UserId): Promise<void>;
}

/** A minimal engine: questions become runs that the test finishes. */
function minimalEngine(world: { readonly runs: Run[]; parts(): AdminParts }): Engine {
  const never = async (): Promise<never> => {
    throw new AppError({
      code: 'engine.call.bug',
      kind: 'bug',
      message: 'not in this test',
      detail: 'canary-detail',
    });
  };
  return {
    start: async () => {},
    drain: async () => {},
    suggest: async () => [],
    accept: async (arrival) => {
      const { ids, clock, store } = world.parts();
      const context = arrival.authenticated?.context ?? ('none' as ContextId); // safe: a slug
      const task: TaskId = ids.make('task');
      const run: Run = {
        id: ids.make('run'),
        task,
        workspace: ACME,
        context,
        conversation: ids.make('conversation'),
        input: ids.make('message'),
        state: 'running',
        attempt: 1,
        label: { integrity: 1, audience: [] },
        createdAt: clock.nowMs(),
        pendingApprovals: [],
      };
      await store.commit(AUDIT, async (tx) => {
        await tx.insert('run', run);
        await tx.insert('task', {
          id: task,
          kind: 'chat',
          title: arrival.event.text,
          workspace: ACME,
          context,
          conversation: run.conversation,
          requester: arrival.authenticated?.principal ?? { kind: 'guest', connector: 'x', sender: 'y' },
          requesterName: 'someone',
          door: 'cli',
          createdAt: clock.nowMs(),
        });
      });
      world.runs.push(run);
      return { outcome: 'run', isRepeat: false, task, run: run.id };
    },
    abort: never,
    retry: never,
    steer: never,
    approve: never,
    deny: never,
    release: never,
    withdraw: never,
    edit: never,
    resolve: never,
    panicOn: async (actor) => world.parts().panic.turnOn(actor.via, 1),
    panicOff: async (actor) => world.parts().panic.turnOff(actor.via, 1),
    openGate: never,
    revoked: async () => {},
    settingsChanged: async () => {},
    health: () => ({ isReady: true, reasons: [] }),
  };
}

/** A store with an overlord, a member and one workspace, and the admin door over it. Keys are slow to make: give one. */
export async function makeDoor(
  key: ClientKey,
  transport: 'socket' | 'direct' | 'proxy' = 'socket',
  more: Partial<AdminParts> = {},
  startMs?: number,
): Promise<DoorWorld> {
  const clock = manualClock(startMs);
  const live = memoryLiveFeed();
  const log = recordingLogger();
  const opened = await openMemoryStore({ clock });
  const runs: Run[] = [];
  const panic = memoryPanic();
  const ca = await testAuthority(clock);
  const parts: AdminParts = {
    store: opened.store,
    journal: opened.journal,
    audit: opened.audit,
    files: {
      list: async () => [],
      read: missingFile,
      readControl: async () => undefined,
      readMemory: async () => [],
      write: missingFile,
    },
    search: { level: 'none', search: async () => [] },
    providers: [],
    routes: [],
    tools: [],
    connectors: [],
    panic,
    clock,
    ids: seededIds(),
    log,
    metrics: noMetrics,
    live,
    crash: crashPoints.none(),
    redactor: makeRedactor(() => []),
    config: {
      maxAttempts: 3,
      llmTimeoutMs: 1,
      llmMaxBytes: 1,
      deliverTimeoutMs: 1,
      deliverBackoffMs: 1,
      deliverBackoffMaxMs: 1,
      deliverMaxAttempts: 1,
      sweepMs: 1,
      promptTokens: 1,
      maxPromptChars: 1,
    },
    engine: minimalEngine({ runs, parts: () => parts }),
    vault: { list: async () => [], set: async () => {}, remove: async () => false },
    sealer: opened.sealer,
    authority: {
      issue: (request) => ca.issue(request),
      trusted: async (nowMs) => ca.trusted(nowMs),
      rotate: (how) => ca.rotate(how),
      alarms: async (people, nowMs) => ca.alarms(people, nowMs),
      adminUrl: () => `https://${AUTHORITY}`,
    },
    auditCheck: opened.audit,
    configFiles: { saveContext: async () => {}, saveWorkspace: async () => {} },
    about: {
      instanceId: 'instance-1',
      version: '1.2.3',
      bootId: 'boot-0000000000000001',
      startedAtMs: clock.nowMs(),
    },
    doors: { http: { connector: 'http', account: 'local' }, cli: { connector: 'cli', account: 'local' } },
    ...more,
  };
  await opened.store.commit(AUDIT, async (tx) => {
    for (const [id, name, role] of [
      [LORD, 'lord', 'overlord'],
      [MEMBER, 'mia', 'member'],
    ] as const) {
      await tx.insert('identity_user', { id, name, displayName: name, isActive: true, createdAt: 1 });
      await tx.insert('identity_grant', {
        id: parts.ids.make('grant'),
        principal: id,
        role,
        scope: { kind: 'all' },
        grantedBy: 'test',
        createdAt: 1,
      });
    }
    await tx.insert('workspace', {
      id: ACME,
      title: 'Acme',
      kind: 'community',
      owner: LORD,
      outsideEdits: 'staff',
      settings: {},
      createdAt: 1,
    });
  });
  const enrolled = async (other: ClientKey, user: UserId): Promise<void> =>
    opened.store.commit(AUDIT, async (tx) =>
      tx.insert('identity_key', {
        id: other.keyId,
        user,
        publicKeyPem: other.publicKey.export({ type: 'spki', format: 'pem' }).toString(),
        name: 'test',
        createdAt: 1,
      }),
    );
  await enrolled(key, LORD);
  const app = makeAdminApp({
    parts,
    transport:
      transport === 'socket'
        ? { kind: 'socket' }
        : { kind: 'network', hop: transport, authority: () => AUTHORITY, ca },
  });
  return { parts, app, ca, clock, live, log, opened, key, runs, enrolled };
}

async function missingFile(): Promise<never> {
  throw new AppError({ code: 'workspace.file.missing', kind: 'missing', message: 'There is no such file.' });
}

/** What clients of a listener in tests must sign for. */
export const AUTHORITY = 'admin.example:8443';

let madeOnce: Promise<AuthorityState> | undefined;

/** The real CA over a file in memory. Its keys are made once for a file of tests: that is what takes time. */
async function testAuthority(clock: Clock): Promise<Authority> {
  const input = {
    instanceId: 'instance-1',
    clock,
    log: recordingLogger(),
    hosts: ['127.0.0.1', 'localhost'],
    proxyHosts: ['127.0.0.1', 'localhost'],
  };
  madeOnce ??= (async () => {
    let state: AuthorityState | undefined;
    const file = {
      read: () => state,
      write: (next: AuthorityState) => {
        state = next;
      },
    };
    await openAuthority({ ...input, file });
    if (state === undefined) throw new Error('no CA was made');
    return state;
  })();
  let state = await madeOnce;
  const file = {
    read: () => state,
    write: (next: AuthorityState) => {
      state = next;
    },
  };
  return openAuthority({ ...input, file });
}

/** A request of the table, signed unless said otherwise; parts can be changed after signing. */
export interface Sent {
  readonly key?: ClientKey;
  readonly isUnsigned?: boolean;
  readonly bootId?: string;
  readonly nowMs?: number;
  readonly authority?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string;
  readonly path?: string;
}

export function requestOf<N extends AdminRouteName>(
  door: DoorWorld,
  name: N,
  input: AdminInput<N>,
  how: Sent = {},
): Request {
  const route: AdminRoute = ADMIN_ROUTES[name];
  const wire = writeInput(route, input as Record<string, unknown>); // safe: an object by the route's type
  const signature =
    how.isUnsigned === true
      ? {}
      : signRequest({
          method: wire.method,
          path: wire.path,
          query: wire.query,
          authority: how.authority ?? SOCKET_AUTHORITY,
          body: new TextEncoder().encode(wire.body),
          key: how.key ?? door.key,
          bootId: how.bootId ?? door.parts.about.bootId,
          nowMs: how.nowMs ?? door.clock.nowMs(),
        });
  const body = how.body ?? wire.body;
  return new Request(`http://localhost${how.path ?? wire.path + wire.query}`, {
    method: wire.method,
    headers: { ...signature, ...how.headers },
    ...(wire.method === 'GET' || body === '' ? {} : { body }),
  });
}

/** Status and body of an answer. */
export async function answer(
  door: DoorWorld,
  request: Request,
): Promise<{ readonly status: number; readonly body: unknown; readonly boot: string | null }> {
  const response = await door.app.fetch(request);
  const text = await response.text();
  return {
    status: response.status,
    body: text === '' ? undefined : JSON.parse(text),
    boot: response.headers.get(BOOT_HEADER),
  };
}

/** The code of a refusal. */
export function codeIn(body: unknown): string {
  return (body as { readonly error?: { readonly code?: string } }).error?.code ?? 'no error'; // safe: optional all the way
}

let shared: Promise<ClientKey> | undefined;
/** One key for a file of tests. */
export function sharedKey(): Promise<ClientKey> {
  shared ??= newClientKey();
  return shared;
}
