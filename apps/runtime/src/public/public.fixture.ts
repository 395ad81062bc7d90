import {
  AppError,
  type ContextId,
  type Message,
  principalKey,
  type Run,
  type RunId,
  sha256,
  type TokenId,
  type UserId,
  type WorkspaceId,
} from '@agent-runtime/domain';
import type { Arrival, Engine } from '@agent-runtime/engine';
import { openMemoryStore } from '@agent-runtime/store';
import { manualClock, noMetrics, recordingLogger, seededIds } from '@agent-runtime/testkit';
import type { Enrolment } from '../admin/index.ts';
import type { TelegramHook } from '../assembly/connectors.ts';
import { liveTexts } from '../stream/live-text.ts';
import type { StepFact } from '../stream/run-facts.ts';
import { systemLiveFeed } from '../system/live-feed.ts';
import { makePublicApp, type PublicApp } from './app.ts';

export const WORKSPACE = 'community' as WorkspaceId; // safe: a slug
export const CONTEXT = 'api' as ContextId; // safe: a slug

export interface PublicWorld {
  readonly app: PublicApp;
  readonly clock: ReturnType<typeof manualClock>;
  readonly log: ReturnType<typeof recordingLogger>;
  readonly arrivals: readonly Arrival[];
  /** Makes a token. @returns its secret */
  token(name: string): Promise<{ readonly id: TokenId; readonly secret: string }>;
  patchToken(id: TokenId, patch: { revokedAt?: number; expiresAt?: number }): Promise<void>;
  deactivateOwner(): Promise<void>;
  setRun(id: RunId, patch: Partial<Run>): Promise<void>;
  addStep(step: StepFact): void;
  write(id: RunId, text: string): void;
  refuseNext(error: Error): void;
  setHealth(reasons: readonly string[]): void;
  setStopping(isStopping: boolean): void;
  setInviting(isInviting: boolean): void;
  /** Bodies that reached the enrolment. */
  readonly enrolled: readonly unknown[];
  request(path: string, init?: RequestInit & { readonly secret?: string }): Promise<Response>;
  post(secret: string, body: unknown): Promise<Response>;
  close(): Promise<void>;
}

const AUDIT = { action: 'task.create', actor: 'test', subject: 'test' };

/** The public app on a real store, with an engine that only writes down what it is given. */
export async function publicWorld(perMinute = 1_000, telegramHook?: TelegramHook): Promise<PublicWorld> {
  const clock = manualClock();
  const log = recordingLogger();
  const ids = seededIds();
  const open = await openMemoryStore({ clock });
  const { store } = open;
  const live = systemLiveFeed();
  const owner = ids.make('user') as UserId; // safe: made for this noun
  await store.commit(AUDIT, async (tx) => {
    await tx.insert('identity_user', {
      id: owner,
      name: 'ada',
      displayName: 'Ada',
      isActive: true,
      createdAt: clock.nowMs(),
    });
  });
  const arrivals: Arrival[] = [];
  const known = new Map<string, { run: RunId; task: ReturnType<typeof ids.make<'task'>>; text: string }>();
  let refusal: Error | undefined;
  let reasons: readonly string[] = [];
  let isStopping = false;
  let isInviting = false;
  const enrolled: unknown[] = [];
  const steps: StepFact[] = [];

  const engine: Pick<Engine, 'accept' | 'health'> = {
    accept: async (arrival) => {
      arrivals.push(arrival);
      if (refusal !== undefined) {
        const error = refusal;
        refusal = undefined;
        throw error;
      }
      const { event } = arrival;
      const key = `${event.source} ${event.externalId}`;
      const earlier = known.get(key);
      if (earlier !== undefined && earlier.text !== event.text) {
        throw new AppError({ code: 'ingest.key.conflict', kind: 'conflict', message: 'Another body.' });
      }
      if (earlier !== undefined) return { outcome: 'run', isRepeat: true, ...earlier };
      const run = ids.make('run');
      const task = ids.make('task');
      known.set(key, { run, task, text: event.text });
      await store.commit(AUDIT, async (tx) => {
        const at = clock.nowMs();
        const conversation = ids.make('conversation');
        const requester = arrival.authenticated?.principal ?? { kind: 'user', user: owner };
        const base = { workspace: WORKSPACE, context: CONTEXT, conversation };
        await tx.insert('task', {
          id: task,
          kind: 'chat',
          title: event.text,
          ...base,
          requester,
          requesterName: event.sender.displayName,
          door: arrival.door,
          createdAt: at,
        });
        await tx.insert('run', {
          id: run,
          task,
          ...base,
          input: ids.make('message') as Message['id'],
          state: 'queued',
          attempt: 1,
          label: { integrity: 1, audience: [] },
          createdAt: at,
          pendingApprovals: [],
        });
      });
      return { outcome: 'run', isRepeat: false, run, task };
    },
    health: () => ({ isReady: reasons.length === 0, reasons }),
  };

  const enrolment: Enrolment = {
    isOpen: async () => isInviting,
    enrol: async (body) => {
      enrolled.push(body);
      return { ok: true };
    },
  };
  const app = makePublicApp({
    engine,
    read: store.read,
    steps: async () => [...steps],
    live,
    texts: liveTexts(live),
    clock,
    ids,
    log,
    metrics: noMetrics,
    telegramHook,
    perMinute,
    reasons: () => (isStopping ? ['stopping'] : []),
    heartbeatMs: 15_000,
    enrolment,
  });
  const request: PublicWorld['request'] = async (path, { secret, ...init } = {}) => {
    const headers = new Headers(init.headers);
    if (secret !== undefined) headers.set('Authorization', `Bearer ${secret}`);
    return app.fetch(new Request(`http://public.test${path}`, { ...init, headers }));
  };

  return {
    app,
    clock,
    log,
    arrivals,
    request,
    post: (secret, body) =>
      request('/v1/events', {
        method: 'POST',
        secret,
        body: typeof body === 'string' ? body : JSON.stringify(body),
      }),
    token: async (name) => {
      const secret = `art_${name.padEnd(24, 'x')}`;
      const id = ids.make('token');
      await store.commit(AUDIT, (tx) =>
        tx.insert('identity_token', {
          id,
          name,
          secretHash: sha256(secret),
          workspace: WORKSPACE,
          context: CONTEXT,
          owner,
          createdAt: clock.nowMs(),
        }),
      );
      return { id, secret };
    },
    patchToken: async (id, patch) => {
      await store.commit(AUDIT, (tx) => tx.update('identity_token', { id }, patch));
    },
    deactivateOwner: async () => {
      await store.commit(AUDIT, (tx) => tx.update('identity_user', { id: owner }, { isActive: false }));
    },
    setRun: async (id, patch) => {
      await store.commit(AUDIT, (tx) => tx.update('run', { id }, patch));
      live.publish({ topic: id, kind: 'state', data: { status: patch.state ?? 'running' } });
    },
    addStep: (step) => void steps.push(step),
    write: (id, text) => live.publish({ topic: id, kind: 'text', data: { text } }),
    refuseNext: (error) => {
      refusal = error;
    },
    setHealth: (list) => {
      reasons = list;
    },
    enrolled,
    setInviting: (value) => {
      isInviting = value;
    },
    setStopping: (value) => {
      isStopping = value;
    },
    close: async () => {
      app.closeStreams();
      await open.close();
    },
  };
}

/** A correct body with changes. */
export function eventBody(patch: Readonly<Record<string, unknown>> = {}): Record<string, unknown> {
  return {
    schema_version: 1,
    type: 'message',
    conversation_key: 'shop-42',
    user_key: 'visitor-7',
    text: 'How do I get a refund?',
    ...patch,
  };
}

/** Runs that a token started, by its principal key. */
export function keyOf(arrival: Arrival): string {
  return arrival.authenticated === undefined ? '' : principalKey(arrival.authenticated.principal);
}
