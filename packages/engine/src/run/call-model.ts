import {
  AppError,
  type AssembledPrompt,
  type AuditDraft,
  cooldownMs,
  type LlmRequest,
  type ModelRoute,
  principalKey,
  type RouteChoice,
  routeModel,
  type ToolSpec,
  type Usage,
} from '@agent-runtime/domain';
import type { EngineDeps } from '../api.ts';
import { type Reservation, release, reserve, settle } from './budget.ts';
import type { RouteHealth, RunMeans } from './means.ts';
import { assertMayGoOn } from './rights.ts';
import type { RunPlace } from './session.ts';
import { type CallOutcome, type Frames, readStream } from './stream.ts';

/** A call that came to a good end, not yet paid for: its step settles the reservation in its own transaction. */
export interface AnsweredCall {
  readonly route: ModelRoute;
  readonly reservation: Reservation;
  readonly outcome: Extract<CallOutcome, { kind: 'done' }>;
}

/** Errors after which another route may answer. What the provider refused for good it would refuse again, but another may not. */
const FALLBACK_KINDS: ReadonlySet<string> = new Set(['unavailable', 'exhausted', 'rejected', 'missing']);

/** A provider that is back within this time is waited for, once per call. */
const MAX_WAIT_MS = 30_000;

/**
 * Makes one model call: best route first, fallbacks after failures, each attempt reserved before and charged after.
 * @throws AppError run.rights.cancelled · run.route.unavailable (nothing configured, cleared or awake) · ledger.budget.exhausted · the last provider's error
 */
export async function callModel(
  deps: EngineDeps,
  means: Pick<RunMeans, 'health' | 'offer'>,
  call: ModelCall,
): Promise<AnsweredCall> {
  const { health } = means;
  try {
    return await tryRoutes(deps, means, call);
  } catch (thrown) {
    const waitMs = waitAfter(deps, health, call, thrown);
    if (waitMs === undefined) throw thrown;
    await deps.clock.sleep(waitMs, call.signal);
    // What was asked before the step may be another answer half a minute later.
    await assertMayGoOn(deps, call.place);
    return tryRoutes(deps, means, call);
  }
}

export interface ModelCall {
  readonly place: RunPlace;
  readonly prompt: AssembledPrompt;
  readonly frames: Frames;
  /** Name of the step. */
  readonly name: string;
  readonly signal: AbortSignal;
  /** Told once the run is marked as running. */
  readonly onStarted?: (() => void) | undefined;
}

/** How long to wait for the first fitting route; undefined when waiting would not help or would take too long. */
function waitAfter(
  deps: EngineDeps,
  health: RouteHealth,
  call: ModelCall,
  thrown: unknown,
): number | undefined {
  const isPassing =
    thrown instanceof AppError &&
    (thrown.kind === 'unavailable' || thrown.kind === 'exhausted') &&
    !/^(?:ledger|database)[.]/.test(thrown.code);
  if (!isPassing || call.signal.aborted) return undefined;
  const nowMs = deps.clock.nowMs();
  const { retryAt } = choose(deps, health, call, nowMs);
  return retryAt !== undefined && retryAt - nowMs <= MAX_WAIT_MS ? retryAt - nowMs : undefined;
}

function choose(deps: EngineDeps, health: RouteHealth, call: ModelCall, nowMs: number): RouteChoice {
  const { place, prompt } = call;
  return routeModel(
    {
      taskKind: place.task.kind,
      settings: place.settings.models,
      label: prompt.label,
      promptTokens: prompt.tokens,
      nowMs,
    },
    deps.routes,
    health.cooldowns,
  );
}

async function tryRoutes(
  deps: EngineDeps,
  { health, offer }: Pick<RunMeans, 'health' | 'offer'>,
  call: ModelCall,
): Promise<AnsweredCall> {
  const { place, prompt, signal } = call;
  const nowMs = deps.clock.nowMs();
  const choice = choose(deps, health, call, nowMs);
  let last: AppError = noRoute(choice.rejected, choice.retryAt, nowMs);
  for (const route of choice.candidates) {
    const provider = deps.providers.find((one) => one.id === route.provider);
    if (provider === undefined) continue;
    if (signal.aborted || deps.panic.isOn()) throw stopped();
    const request = requestFor(place, prompt, route, {
      tools: offeredTools(deps, place).map(offer),
      idempotencyKey: `${place.run.id}:${call.name}:${route.name}`,
    });
    const bound: Usage = {
      inputTokens: prompt.tokens,
      outputTokens: request.maxOutputTokens,
      cachedTokens: 0,
    };
    const reservation = await reserve(deps, place, route, bound);
    if (place.run.state === 'queued') call.onStarted?.();
    if (signal.aborted || deps.panic.isOn()) {
      await giveBack(deps, place, { route, reservation });
      throw stopped();
    }
    const outcome = await readStream(deps, place, { provider, request, frames: call.frames, signal });
    if (outcome.kind === 'done') {
      health.failures.delete(route.name);
      return { route, reservation, outcome };
    }
    await charge(deps, place, { route, reservation }, outcome.usage);
    if (signal.aborted) throw stopped();
    last = providerError(outcome.error);
    deps.log.warn(
      { room: 'run', run_id: place.run.id, route: route.name, code: last.code },
      'a model call failed',
    );
    // What a provider refuses about one request is no trouble of the route: others must not wait because of what somebody asked.
    if (last.kind !== 'rejected') rest(health, route, outcome.error.retryAfterMs, deps.clock.nowMs());
    if (!FALLBACK_KINDS.has(last.kind)) break;
  }
  throw last;
}

/** Writes the cost of a call in the transaction that records it. */
export async function pay(tx: Parameters<typeof settle>[0], answered: AnsweredCall): Promise<Usage> {
  return settle(tx, answered.route, answered.reservation, answered.outcome.usage);
}

/** The same in a commit of its own, for a call whose record could not be kept. */
export async function payFor(deps: EngineDeps, place: RunPlace, answered: AnsweredCall): Promise<void> {
  await charge(deps, place, answered, answered.outcome.usage);
}

interface Attempt {
  readonly route: ModelRoute;
  readonly reservation: Reservation;
}

function charge(
  deps: EngineDeps,
  place: RunPlace,
  attempt: Attempt,
  usage: Usage | undefined,
): Promise<Usage> {
  return deps.store.commit(ledgerAudit(place, attempt, 'ledger.settle'), (tx) =>
    settle(tx, attempt.route, attempt.reservation, usage),
  );
}

function giveBack(deps: EngineDeps, place: RunPlace, attempt: Attempt): Promise<void> {
  return deps.store.commit(ledgerAudit(place, attempt, 'ledger.release'), (tx) =>
    release(tx, attempt.reservation),
  );
}

function ledgerAudit(place: RunPlace, attempt: Attempt, action: string): AuditDraft {
  return {
    action,
    actor: principalKey(place.task.requester),
    subject: attempt.reservation.entry.id,
    workspace: place.context.workspace,
    context: place.context.id,
    data: { run: place.run.id, route: attempt.route.name, failed: true },
  };
}

function rest(health: RouteHealth, route: ModelRoute, retryAfterMs: number | undefined, nowMs: number): void {
  const failures = (health.failures.get(route.name) ?? 0) + 1;
  health.failures.set(route.name, failures);
  health.cooldowns.set(route.name, nowMs + cooldownMs(failures, retryAfterMs));
}

function requestFor(
  place: RunPlace,
  prompt: AssembledPrompt,
  route: ModelRoute,
  more: Pick<LlmRequest, 'tools' | 'idempotencyKey'>,
): LlmRequest {
  const { models } = place.settings;
  return {
    model: route.model,
    messages: prompt.messages,
    temperature: models.temperature,
    maxOutputTokens: Math.min(route.maxOutputTokens, models.maxOutputTokens ?? route.maxOutputTokens),
    ...more,
  };
}

/** What the model may see: tools of the context; a guest's run only those that read. Policy decides again on each call. */
function offeredTools(deps: Pick<EngineDeps, 'tools'>, place: RunPlace): readonly ToolSpec[] {
  const { settings, task } = place;
  const isGuest = task.requester.kind === 'guest';
  return deps.tools
    .filter((tool) => settings.tools.includes('*') || settings.tools.includes(tool.name))
    .filter((tool) => !isGuest || tool.class === 'R');
}

function noRoute(
  rejected: readonly { readonly route: string; readonly reason: string }[],
  retryAt: number | undefined,
  nowMs: number,
): AppError {
  const why = rejected.map((one) => `${one.route}: ${one.reason}`).join('; ');
  return new AppError({
    code: 'run.route.unavailable',
    kind: 'unavailable',
    message: `No model can answer this now${why === '' ? '' : ` (${why})`}.`,
    ...(retryAt === undefined ? {} : { retryAfterMs: Math.max(1, retryAt - nowMs) }),
  });
}

function stopped(): AppError {
  return new AppError({ code: 'run.stop.cancelled', kind: 'cancelled', message: 'The run was stopped.' });
}

function providerError({
  retryAfterMs,
  ...error
}: Extract<CallOutcome, { kind: 'failed' }>['error']): AppError {
  return new AppError(retryAfterMs === undefined ? error : { ...error, retryAfterMs });
}
